/*
 * Which Node an executable is, by the files beside it: npm's own `node` package, the headers, or the folder's name under nvm, fnm,
 * asdf, mise, volta. Nothing is run.
 */
#ifndef DR_FACTS_INSTALL_NODE_H
#define DR_FACTS_INSTALL_NODE_H

#include "facts/context.h"

/* "22.23.1", or NULL when the files beside it do not tell. */
const char *dr_node_version(struct dr_context *context, const char *node_path);

#endif
