/*
 * The files of reverse proxies' configurations: read like all files of somebody else (base/file.h), beneath --root, each once. Links are
 * resolved first (sites-enabled/ is full of them), so that `path` is where the file really lies and may be edited.
 */
#ifndef DR_FACTS_PROXY_FILES_H
#define DR_FACTS_PROXY_FILES_H

#include "facts/context.h"
#include "format/proxy_reader.h"

struct dr_proxy_files; /* one for each configuration; arena */

/* `pid`: the running server, whose environment is asked first where it may be read; 0: none. */
const struct dr_proxy_loader *dr_proxy_loader(struct dr_context *context, long pid);

#endif
