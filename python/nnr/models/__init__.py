"""Model files in and out: ONNX, safetensors, NumPy ``.npz``, PyTorch state dicts, bitstreams."""

from .formats import BITSTREAMS, READABLE, WRITABLE, load
from .model import Model, Topology

__all__ = ["BITSTREAMS", "READABLE", "WRITABLE", "Model", "Topology", "load"]
