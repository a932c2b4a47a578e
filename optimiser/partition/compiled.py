"""How the inner functions of compiled loops are compiled: called from other compiled functions only."""

from __future__ import annotations

import numba
import numpy as np

NONE, FIRST = np.int64(-1), np.int64(0)  # as arguments: a literal number would compile a variant of its own

inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")

# Without reference counts, which would cost half the time of a move: they neither make nor keep arrays themselves.
bare = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=False)
