"""What a tree is at one moment: enough to see the smallest write."""

import hashlib
import os
import stat

JOURNAL = "openclaw-doctor"  # the doctor's own folder in the state directory


def contents(path, st):
    if stat.S_ISLNK(st.st_mode):
        return os.readlink(path)
    if not stat.S_ISREG(st.st_mode):
        return ""
    if st.st_blocks * 512 < st.st_size // 2:
        return f"sparse, {st.st_size} bytes"  # a hash would read gigabytes of nothing
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def take(root):
    """{relative path (bytes): {type, mode, uid, gid, size, inode, links, mtime_ns, contents}}"""
    root = os.fsencode(root)
    seen = {}

    def one(path, name):
        st = os.lstat(path)
        seen[name] = {
            "type": stat.S_IFMT(st.st_mode), "mode": oct(stat.S_IMODE(st.st_mode)), "uid": st.st_uid, "gid": st.st_gid,
            "size": st.st_size if not stat.S_ISDIR(st.st_mode) else 0, "inode": st.st_ino, "links": st.st_nlink,
            "mtime_ns": st.st_mtime_ns, "contents": contents(path, st),
        }
        if stat.S_ISDIR(st.st_mode):
            for child in sorted(os.listdir(path)):
                one(os.path.join(path, child), os.path.join(name, child) if name != b"." else child)

    one(root, b".")
    return seen


def in_journal(path):
    return os.fsencode(JOURNAL) in path.split(b"/")


SUBSTANCE = ("type", "mode", "uid", "gid", "size", "contents")


def differences(before, after, fields=None, journal=True):
    """[(path, what changed)], sorted. `journal`: whether the doctor's own folder counts."""
    found = []
    for path in sorted(before.keys() | after.keys()):
        if not journal and in_journal(path):
            continue
        shown = os.fsdecode(path).encode("unicode_escape", "surrogatepass").decode()
        if path not in after:
            found.append((shown, "is gone"))
        elif path not in before:
            found.append((shown, "is new"))
        else:
            changed = [f"{field} {before[path][field]} -> {after[path][field]}" for field in fields or before[path]
                       if before[path][field] != after[path][field]]
            if changed:
                found.append((shown, ", ".join(changed)))
    return found
