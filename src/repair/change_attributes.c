/* DR_SET_MODE and DR_SET_OWNER: through the descriptor that was judged. */
#include "repair/attributes.h"
#include "repair/change.h"

enum { MODE_BITS = 07777 };

static void see(struct dr_step *step, const struct stat *st)
{
    dr_seen_from_stat(st, &step->before);
    step->after = step->before;
}

static int judge_mode(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                      struct dr_prepared *prepared, struct dr_error *error)
{
    const struct stat *now = &prepared->place.st;
    int r = dr_judge_identity(scene, operation, &prepared->place, error);

    if (r < 0)
        return r;
    if (((now->st_mode ^ operation->judged.mode) & MODE_BITS) != 0)
        return dr_stale(error);
    see(step, now);
    step->after.mode = (now->st_mode & S_IFMT) | dr_settable_mode(now->st_mode, operation->mode);
    return 0;
}

static int make_mode(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation DR_UNUSED, struct dr_step *step,
                     struct dr_prepared *prepared, struct dr_error *error)
{
    int r = dr_fd_set_mode(prepared->place.fd, prepared->place.st.st_mode, step->after.mode);

    return r < 0 ? dr_failed(error, r, "its mode cannot be set") : 0;
}

/* Another step of this run may have changed the owner before. */
static bool owner_as_judged(const struct dr_operation *operation, const struct stat *now)
{
    return now->st_uid == operation->judged.uid && now->st_gid == operation->judged.gid;
}

static int judge_owner(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                       struct dr_prepared *prepared, struct dr_error *error)
{
    const struct stat *now = &prepared->place.st;
    int r = dr_judge_identity(scene, operation, &prepared->place, error);

    if (r < 0)
        return r;
    if (!owner_as_judged(operation, now))
        return dr_stale(error);
    see(step, now);
    step->after.uid = operation->uid;
    step->after.gid = operation->gid;
    step->after.mode = (now->st_mode & S_IFMT) | dr_settable_mode(now->st_mode, now->st_mode);
    return 0;
}

static int make_owner(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation DR_UNUSED, struct dr_step *step,
                      struct dr_prepared *prepared, struct dr_error *error)
{
    int r = dr_fd_set_owner(prepared->place.fd, step->after.uid, step->after.gid);

    return r < 0 ? dr_failed(error, r, "its owner cannot be set") : 0;
}

/* A file that got a second name since is not touched: the other name may be anywhere. */
static int find_again(struct dr_scene *scene, const struct dr_step *step, struct dr_place *place, struct dr_error *error)
{
    int r = dr_place_find(scene->places, step->path, place, error);

    if (r < 0)
        return r;
    if (place->fd < 0)
        return dr_gone(error);
    if ((place->st.st_mode & S_IFMT) != (step->before.mode & S_IFMT))
        return dr_stale(error);
    if (!S_ISDIR(place->st.st_mode) && place->st.st_nlink != 1)
        return dr_error_set(error, -EPERM, "it has another name elsewhere (a hard link): both would change");
    return dr_judge_reach(scene, step, place, error);
}

static int revert_mode(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    int r = find_again(scene, step, &place, error);

    if (r < 0)
        return r;
    uint32_t now = place.st.st_mode & MODE_BITS;

    if (now == dr_settable_mode(step->before.mode, step->before.mode))
        return 1;
    if (now != (step->after.mode & MODE_BITS) && !scene->force)
        return dr_stale(error);
    if (only_look)
        return 0;
    r = dr_fd_set_mode(place.fd, place.st.st_mode, step->before.mode);
    return r < 0 ? dr_failed(error, r, "its mode cannot be set back") : 0;
}

static int revert_owner(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    int r = find_again(scene, step, &place, error);

    if (r < 0)
        return r;
    if (place.st.st_uid == step->before.uid && place.st.st_gid == step->before.gid)
        return 1;
    if ((place.st.st_uid != step->after.uid || place.st.st_gid != step->after.gid) && !scene->force)
        return dr_stale(error);
    if (geteuid() != 0 && step->before.uid != place.st.st_uid)
        return dr_error_set(error, -EPERM, "only root can give it back to uid %u; undo as root", step->before.uid);
    if (only_look)
        return 0;
    r = dr_fd_set_owner(place.fd, step->before.uid, step->before.gid);
    return r < 0 ? dr_failed(error, r, "its owner cannot be set back") : 0;
}

const struct dr_kind dr_kind_set_mode = { judge_mode, make_mode, revert_mode };
const struct dr_kind dr_kind_set_owner = { judge_owner, make_owner, revert_owner };
