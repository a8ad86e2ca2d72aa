/*
 * Which release a state directory looks like, from its own shape: the schema number of the store, or which JSON files there are.
 * The last resort of dr_installs: never certain.
 */
#ifndef DR_FACTS_INSTALL_ERA_H
#define DR_FACTS_INSTALL_ERA_H

#include "api/release.h"
#include "facts/context.h"

/* The release whose rules fit best, and in words what shows it. `state_dir` may be NULL or not exist. */
struct dr_release dr_era_of_state(struct dr_context *context, const char *state_dir, const char **ret_shown_by);

/* schema_meta.app_version of the store: the release that opened it last. NULL when there is none, or it cannot be read. */
const char *dr_app_version_of_state(struct dr_context *context, const char *state_dir);

#endif
