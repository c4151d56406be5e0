"""What compressing a network costs where the network is used.

A task runs a network in its original and in its reconstructed form on the same input and measures
both results; a report holds the tables, the definitions of their numbers, and every single value.
"""

from __future__ import annotations

from .autoencoder import AutoEncoderTask
from .autoencoder_report import AutoEncoderReport, RatePoint
from .bd import bd_psnr, bd_rate
from .cache import Cache
from .embedded import photographs
from .metrics import psnr, rgb_quality, ssim
from .postfilter import PostFilterTask
from .report import PostFilterReport
from .small_pictures import SmallPictures, embedded_pictures, open_pictures

__all__ = [
    "AutoEncoderReport",
    "AutoEncoderTask",
    "Cache",
    "PostFilterReport",
    "PostFilterTask",
    "RatePoint",
    "SmallPictures",
    "bd_psnr",
    "bd_rate",
    "embedded_pictures",
    "open_pictures",
    "photographs",
    "psnr",
    "rgb_quality",
    "ssim",
]
