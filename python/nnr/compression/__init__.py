"""The search for the fewest bytes at which a network loses no more than allowed where it is used.

It tries codings of the network and evaluates each, so it stands above both: `nnr.coding` knows no
pictures, and `nnr.evaluation` compares networks that others made.
"""

from __future__ import annotations

from .to_loss import DEFAULT_QPS, LossCompression, TensorChoice, compress_to_loss, expected_steps

__all__ = ["DEFAULT_QPS", "LossCompression", "TensorChoice", "compress_to_loss", "expected_steps"]
