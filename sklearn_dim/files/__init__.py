"""Files as all rooms write and read them: whole or not at all, with a digest, and never larger in memory than on disk.

============= ========================================================================
`_atomic.py`  files that appear whole, or leave what was there before
`_digest.py`  what is in a file, as a digest; content that carries its own
`_json.py`    JSON that other languages read; refused if it would unfold in memory
============= ========================================================================
"""

from sklearn_dim.files._atomic import UNFINISHED, failures_named, forget_leftovers, replaced
from sklearn_dim.files._digest import DIGEST_SIZE, digest, sealed, unsealed
from sklearn_dim.files._json import read_json, read_page, write_json, write_page

__all__: list[str] = []
