/*
 * Which trees are walked, and how deep. Sources: facts/openclaw-2026.2.md §1, openclaw-2026.9.md §1.1, failure-modes rows 49, 59, 60.
 */
#include "api/tree.h"

#include "api/install.h"
#include "api/target.h"
#include "base/text.h"
#include "facts/context.h"
#include "facts/tree_walk.h"

#include <fcntl.h>
#include <string.h>

enum {
    TEMP_DEPTH = 1,
    CACHE_DEPTH = 3, /* _cacache/content-v2/sha512: what a `sudo npm` leaves shows here, without 100,000 blobs */
    INSTALL_DEPTH = 1,
};

/* %s: the temp folder; %u: the gateway's user. The temp folder itself is looked at, never entered. */
static const struct temp_place {
    const char *base; /* NULL: $TMPDIR and /tmp; else only there */
    const char *name;
    bool with_uid;
    unsigned deepest;
} temp_places[] = {
    { NULL, "", false, 0 },
    { NULL, "/jiti", false, TEMP_DEPTH },
    { NULL, "/node-compile-cache", false, TEMP_DEPTH },
    { NULL, "/openclaw-", true, TEMP_DEPTH },
    { "/tmp", "/openclaw", false, TEMP_DEPTH },
    { "/tmp", "/openclaw-state-locks-", true, TEMP_DEPTH },
};

struct survey {
    struct dr_walk walk;
    const struct dr_target *target;
    bool whole;
};

static int go(struct survey *survey, enum dr_tree_kind tree, const char *path, unsigned deepest)
{
    const char *state_dir = survey->target->state_dir;

    if (tree != DR_TREE_STATE && dr_path_is_below(path, state_dir))
        return 0; /* seen already */
    survey->walk.tree = tree;
    survey->walk.path = path;
    survey->walk.deepest = survey->whole && deepest > 0 ? DR_WALK_WHOLE : deepest;

    int r = dr_walk_run(&survey->walk);

    return r == -ENOENT ? 0 : r;
}

static int walk_state(struct survey *survey)
{
    const struct dr_target *target = survey->target;
    int r = go(survey, DR_TREE_STATE, target->state_dir, DR_WALK_WHOLE);

    if (r < 0 || !target->config_path || dr_path_is_below(target->config_path, target->state_dir))
        return r;
    survey->walk.tree = DR_TREE_STATE;
    survey->walk.path = target->config_path;
    survey->walk.deepest = 1;
    r = dr_walk_single(&survey->walk);
    /* A folder that cannot be reached is the configuration's own finding. */
    return r == -ENOMEM ? r : 0;
}

static int walk_temp_below(struct survey *survey, const char *base, bool first)
{
    struct dr_context *context = survey->walk.context;

    for (size_t i = 0; i < DR_COUNT(temp_places); i++) {
        const struct temp_place *place = &temp_places[i];
        const char *folder = place->base ? place->base : base;

        if (place->base && !first)
            continue;
        const char *path = place->with_uid ? dr_format(context, "%s%s%u", folder, place->name, survey->target->uid)
                                           : dr_format(context, "%s%s", folder, place->name);
        int r = go(survey, DR_TREE_TEMP, path, place->deepest);

        if (r < 0)
            return r;
    }
    return 0;
}

static int walk_temp(struct survey *survey)
{
    const char *own = dr_environment(survey->walk.context, "TMPDIR");
    int r = walk_temp_below(survey, "/tmp", true);

    if (r < 0 || !own || own[0] != '/')
        return r;
    _cleanup_free_ char *clean = dr_path_clean(own);

    if (!clean)
        return -ENOMEM;
    return strcmp(clean, "/tmp") == 0 ? 0 : walk_temp_below(survey, clean, false);
}

static int walk_cache(struct survey *survey)
{
    if (!survey->target->home)
        return 0;
    return go(survey, DR_TREE_CACHE, dr_format(survey->walk.context, "%s/.npm", survey->target->home), CACHE_DEPTH);
}

static int walk_installs(struct survey *survey)
{
    const struct dr_installs *installs = dr_installs(survey->walk.context);
    int r = 0;

    for (size_t i = 0; r >= 0 && i < installs->count; i++)
        r = go(survey, DR_TREE_INSTALL, installs->list[i].package_dir, INSTALL_DEPTH);
    return r;
}

static int (*const walkers[])(struct survey *survey) = {
    [DR_TREE_STATE] = walk_state,
    [DR_TREE_INSTALL] = walk_installs,
    [DR_TREE_TEMP] = walk_temp,
    [DR_TREE_CACHE] = walk_cache,
};

static struct survey survey_of(struct dr_context *context, dr_visit_function *visit, void *state)
{
    return (struct survey){
        .walk = { .root_fd = context->request->root ? context->request->root_fd : AT_FDCWD,
                  .visit = visit,
                  .context = context,
                  .state = state },
        .target = dr_target(context),
    };
}

int dr_tree_walk(struct dr_context *context, dr_visit_function *visit, void *state)
{
    struct survey survey = survey_of(context, visit, state);
    int r = 0;

    if (survey.target->fact.state != DR_KNOWN)
        return 0;
    for (size_t kind = 0; r >= 0 && kind < DR_COUNT(walkers); kind++)
        r = walkers[kind](&survey);
    return r < 0 ? r : 0;
}

int dr_tree_walk_whole(struct dr_context *context, enum dr_tree_kind kind, dr_visit_function *visit, void *state)
{
    struct survey survey = survey_of(context, visit, state);

    if (survey.target->fact.state != DR_KNOWN)
        return 0;
    survey.whole = true;
    int r = walkers[kind](&survey);

    return r < 0 ? r : 0;
}
