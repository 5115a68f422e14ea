"""Token ids: whole numbers that come in and that nothing but embeddings reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import fx

from pintsize.errors import UnsupportedOp
from pintsize.ops import Embedding
from pintsize.read.draft import Call, Value
from pintsize.read.layout import Layout

aten = torch.ops.aten

#: they give the same whole numbers, perhaps in another type
PASSING: frozenset[Any] = frozenset(
    {aten.to.dtype, aten.to.device, aten.to.dtype_layout, aten.to.other, aten.clone.default, aten.alias.default,
     aten.contiguous.default, aten.detach.default}
)  # fmt: skip


def are_ids(node: fx.Node, checks: frozenset[Any]) -> bool:
    """Are the node's whole numbers read by embeddings alone, and by `checks`, which compute nothing?"""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or value.dtype not in (torch.int64, torch.int32):
        return False
    users = [u for u in node.users if u.target not in checks and u.target is not aten.sym_size.int]
    return bool(users) and all(
        u.target is aten.embedding.default or (u.target in PASSING and are_ids(u, checks)) for u in users
    )


def embedding(call: Call) -> Value:
    """aten.embedding: rows of a constant table; the ids must be the model's input as it comes."""
    named, table = call.weights("weight")  # (ids, channels)
    ids = call.value("indices")
    if any(n.output == ids.tensor for n in call.draft.nodes):
        raise UnsupportedOp("its ids must be the model's input itself, not computed from it")
    weight = call.constant((named, table.T))
    bias = call.constant((f"{call.name}.bias", np.zeros(table.shape[1])))
    return call.result(call.emit(Embedding(), ids.tensor, weight, bias), Layout.PLAIN)
