/*
 * Where installs of OpenClaw are found without running anything: PATH, global and local prefixes, version managers, the container
 * image, and the commands of units. The number of folders and files looked at is bounded.
 */
#ifndef DR_FACTS_INSTALL_PLACES_H
#define DR_FACTS_INSTALL_PLACES_H

#include "api/install.h"
#include "facts/context.h"

enum dr_install_kind { DR_INSTALL_UNIT = 0, DR_INSTALL_PATH, DR_INSTALL_PLACE };
enum { DR_MOST_INSTALLS = 32 };

struct dr_install_list {
    struct dr_install list[DR_MOST_INSTALLS]; /* one per package folder, in the order found */
    enum dr_install_kind kind[DR_MOST_INSTALLS];
    size_t count;
};

/* `node` may be NULL: the Node beside the package, else the one on PATH. Does nothing when `executable` leads to no package. */
void dr_install_add(struct dr_context *context, struct dr_install_list *installs, enum dr_install_kind kind,
                    const char *executable, const char *node, const char *found_by);

void dr_install_find_on_path(struct dr_context *context, struct dr_install_list *installs);

/* `home` may be NULL. */
void dr_install_find_in_places(struct dr_context *context, struct dr_install_list *installs, const char *home);

#endif
