"""What files and devices refuse, in words: one sentence for each of the system's errors that people meet."""

import errno
import os
from collections.abc import Mapping

from node.i18n.sentence import N_, Sentence, sentence

WHY: Mapping[int, str] = {
    errno.ENOENT: N_("there is no such file or folder"),
    errno.EACCES: N_("this user may not do that there"),
    errno.EPERM: N_("this user may not do that there"),
    errno.EISDIR: N_("that is a folder, not a file"),
    errno.ENOTDIR: N_("a part of this path is a file, not a folder"),
    errno.EEXIST: N_("there is something of that name already"),
    errno.ENOTEMPTY: N_("there is something of that name already"),
    errno.ENOSPC: N_("there is no room left"),
    errno.EDQUOT: N_("there is no room left"),
    errno.EFBIG: N_("it is too large for that place"),
    errno.EROFS: N_("nothing can be written there"),
    errno.ENAMETOOLONG: N_("the name is too long"),
    errno.ELOOP: N_("links lead round in a circle there"),
    errno.EIO: N_("the card or stick cannot be read or written: it may be broken"),
    errno.EBADF: N_("the input or the output is closed"),
}


def why(error: OSError) -> Sentence:
    """Why a file or device refused; what is not known by name in the system's words."""
    known = WHY.get(error.errno or 0)
    return Sentence(known) if known else Sentence(error.strerror or str(error))


def told(error: OSError) -> Sentence:
    """The same with the file's name."""
    name = error.filename if error.filename is not None else ""
    if not name:
        return why(error)
    return sentence("%(file)s: %(why)s.", file=os.fsdecode(name) if isinstance(name, bytes) else str(name), why=why(error))
