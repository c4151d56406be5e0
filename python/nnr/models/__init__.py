"""Model files in and out: ONNX, safetensors, NumPy ``.npz`` and PyTorch state dicts."""

from .formats import READABLE, WRITABLE, load
from .model import Model, Topology

__all__ = ["READABLE", "WRITABLE", "Model", "Topology", "load"]
