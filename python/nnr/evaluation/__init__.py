"""What compressing a network costs where the network is used.

A task runs a network in its original and in its reconstructed form on the same input and measures
both results; a report holds the tables, the definitions of their numbers, and every single value.
"""

from __future__ import annotations

from .bd import bd_psnr, bd_rate
from .cache import Cache
from .embedded import photographs
from .metrics import psnr, ssim
from .postfilter import PostFilterTask
from .report import PostFilterReport

__all__ = [
    "Cache",
    "PostFilterReport",
    "PostFilterTask",
    "bd_psnr",
    "bd_rate",
    "photographs",
    "psnr",
    "ssim",
]
