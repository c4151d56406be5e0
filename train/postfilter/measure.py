"""How much a network gains on whole pictures."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import torch

from .data import Pair, plane_means, tensors
from .network import PostFilterNetwork


def autocast(device: str) -> torch.autocast:
    return torch.autocast(device, torch.bfloat16)


@torch.no_grad()
def psnr_gains(network: PostFilterNetwork, pairs: list[Pair], device: str) -> dict[str, float]:
    """Mean PSNR gains over the unfiltered picture: Y for each QP, Cb and Cr over all."""
    gains = defaultdict(list)
    for pair in pairs:
        inputs, target = (tensor[None].to(device) for tensor in tensors(pair))
        with autocast(device):
            output = network(inputs.contiguous(memory_format=torch.channels_last)).float()
        errors = plane_means((output - target).square())[0].cpu()
        y, cb, cr = (10 * np.log10(pair.unfiltered_errors / errors.numpy())).tolist()
        gains[f"qp{pair.qp}"].append(y)
        gains["cb"].append(cb)
        gains["cr"].append(cr)
    return {name: float(np.mean(values)) for name, values in sorted(gains.items())}
