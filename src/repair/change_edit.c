/* DR_EDIT_FILE: spans of bytes are replaced; the new file has the old one's mode, owner and extended attributes. */
#include "base/file.h"
#include "repair/change.h"
#include "repair/content.h"
#include "repair/owner_rights.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

enum { TOKEN_BYTES = 24, REFERENCE_MOST = 4096 };

/* Once per operation: an edit in two places gets the same token. */
struct token {
    bool made;
    char hex[2 * TOKEN_BYTES + 1];
};

static int make_token(struct token *token)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[TOKEN_BYTES];

    if (token->made)
        return 0;
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return -EIO;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        token->hex[2 * i] = digits[bytes[i] >> 4];
        token->hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    token->hex[sizeof(token->hex) - 1] = '\0';
    token->made = true;
    return 0;
}

/* Root reads for a user: only what that user could read himself, by the way that he could go. */
static int read_for_owner(const struct dr_scene *scene, const char *path, struct dr_buffer *text)
{
    const struct dr_repair_target *target = scene->target;
    _cleanup_owner_rights_ struct dr_owner_rights rights = { 0 };
    int r = geteuid() == 0 && target->uid != 0 ? dr_owner_rights_take(target->uid, target->gid, &rights) : 0;

    return r < 0 ? r : dr_read_file(target->root_fd, path, text, NULL);
}

/* Bytes that mean themselves in JSON5, .env files and unit files alike; anything else would need quoting that we cannot know. */
static bool needs_no_quoting(const char *bytes, size_t length)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+/=:@,!*";

    for (size_t i = 0; i < length; i++)
        if (!memchr(plain, bytes[i], sizeof(plain) - 1))
            return false;
    return true;
}

static int append_from_file(const struct dr_scene *scene, const struct dr_reference *from, struct dr_buffer *out,
                            struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(DR_CONTENT_MOST);
    char hash[DR_SHA256_HEX];
    int r = from->path && from->sha256 ? read_for_owner(scene, from->path, &text) : -EINVAL;

    if (r == 0)
        r = dr_sha256_hex(text.data, text.length, hash);
    if (r < 0)
        return dr_error_set(error, r, "%s, where the value comes from, cannot be read: %s",
                            from->path ? from->path : "(none)", dr_errno_text(r));
    if (strcmp(hash, from->sha256) != 0)
        return dr_error_set(error, -ESTALE, "%s, where the value comes from, changed since it was looked at", from->path);
    if (from->length > REFERENCE_MOST || from->offset > text.length || from->length > text.length - from->offset)
        return dr_error_set(error, -EINVAL, "the value's place in %s is outside of the file", from->path);
    if (!needs_no_quoting(text.data + from->offset, from->length))
        return dr_error_set(error, -EINVAL, "the value in %s holds characters that need quoting; copy it by hand",
                            from->path);
    return dr_buffer_append(out, text.data + from->offset, from->length);
}

static int append_new(const struct dr_scene *scene, const struct dr_edit *edit, struct token *token, struct dr_buffer *out,
                      struct dr_error *error)
{
    int r;

    switch (edit->from.kind) {
    case DR_LITERAL:
        return edit->text ? dr_buffer_append(out, edit->text, edit->text_length) : 0;
    case DR_FROM_FILE:
        return append_from_file(scene, &edit->from, out, error);
    case DR_NEW_TOKEN:
        r = make_token(token);
        return r < 0 ? r : dr_buffer_append(out, token->hex, 2 * (size_t)TOKEN_BYTES);
    }
    return -EINVAL;
}

static int apply_edits(const struct dr_scene *scene, const struct dr_operation *operation, const struct dr_buffer *old,
                       struct dr_buffer *out, struct dr_error *error)
{
    struct token token = { 0 };
    uint64_t at = 0;
    int r;

    for (size_t i = 0; i < operation->edit_count; i++) {
        const struct dr_edit *edit = &operation->edits[i];

        if (edit->offset < at || edit->offset > old->length || edit->length > old->length - edit->offset)
            return dr_error_set(error, -EINVAL, "its edits overlap or lie outside of the file");
        r = dr_buffer_append(out, dr_buffer_text(old) + at, edit->offset - at);
        if (r == 0)
            r = append_new(scene, edit, &token, out, error);
        if (r < 0)
            return r;
        at = edit->offset + edit->length;
    }
    r = dr_buffer_append(out, dr_buffer_text(old) + at, old->length - at);
    explicit_bzero(&token, sizeof(token));
    return r;
}

static int read_original(const struct dr_operation *operation, struct dr_prepared *prepared, struct dr_buffer *old,
                         struct dr_step *step, struct dr_error *error)
{
    int r = dr_reopen(&prepared->place, O_RDONLY, &prepared->original);

    if (r == 0)
        r = dr_read_fd(prepared->original, old);
    if (r == 0)
        r = dr_sha256_hex(old->data, old->length, step->before.sha256);
    if (r < 0)
        return dr_failed(error, r, "it cannot be read");
    return operation->sha256 && strcmp(operation->sha256, step->before.sha256) == 0 ? 0 : dr_stale(error);
}

static int judge_edit(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                      struct dr_prepared *prepared, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer old = DR_BUFFER(DR_CONTENT_MOST);
    int r = dr_judge_identity(scene, operation, &prepared->place, error);

    if (r < 0)
        return r;
    dr_seen_from_stat(&prepared->place.st, &step->before);
    r = read_original(operation, prepared, &old, step, error);
    if (r == 0)
        r = apply_edits(scene, operation, &old, &prepared->content, error);
    step->after = step->before;
    if (r == 0)
        r = dr_sha256_hex(prepared->content.data, prepared->content.length, step->after.sha256);
    if (r < 0)
        return dr_failed(error, r, "the new text cannot be made");
    step->after.inode = 0; /* not known yet */
    step->keep = operation->keep;
    step->backup = dr_arena_format(scene->arena, "backup/%04u", step->number);
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);

    r = step->backup ? dr_shelf_keep(&shelf, step->backup, old.data, old.length) : -ENOMEM;
    return r < 0 ? dr_failed(error, r, "its backup cannot be written") : 0;
}

static int make_edit(struct dr_scene *scene DR_UNUSED, const struct dr_operation *operation DR_UNUSED, struct dr_step *step,
                     struct dr_prepared *prepared, struct dr_error *error)
{
    const struct dr_place *place = &prepared->place;
    const struct dr_new_file file = {
        .temp = step->temp,
        .bytes = prepared->content.data,
        .length = prepared->content.length,
        .mode = place->st.st_mode,
        .uid = place->st.st_uid,
        .gid = place->st.st_gid,
        .like = prepared->original,
    };
    struct stat now;
    char hash[DR_SHA256_HEX];
    int r;

    if (step->keep)
        return 0;
    /* Written in place while we prepared? */
    if (fstat(prepared->original, &now) < 0)
        return -errno;
    r = dr_sha256_fd(prepared->original, hash);
    if (r == 0 && strcmp(hash, step->before.sha256) != 0)
        return dr_stale(error);
    if (r == 0)
        r = dr_content_replace(place, &file);
    if (r == 0 && fstatat(place->dir_fd, place->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    if (r < 0)
        return dr_failed(error, r, "the new text cannot be written");
    step->after.device = now.st_dev;
    step->after.inode = now.st_ino;
    return 0;
}

/* --- back --------------------------------------------------------------------------------------------------------- */

static int put_back(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place)
{
    _cleanup_buffer_ struct dr_buffer old = DR_BUFFER(DR_CONTENT_MOST);
    _cleanup_close_ int present = -1;
    const struct timespec mtime = { step->before.mtime_ns / 1000000000, step->before.mtime_ns % 1000000000 };
    bool there = place->fd >= 0;
    struct dr_new_file file = {
        .temp = step->temp,
        .mode = there ? place->st.st_mode : step->before.mode,
        .uid = there ? place->st.st_uid : step->before.uid,
        .gid = there ? place->st.st_gid : step->before.gid,
        .like = -1,
        .mtime = &mtime,
    };
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);
    int r = dr_shelf_kept(&shelf, step->backup, step->before.sha256, &old);

    if (r == 0)
        r = dr_content_drop_temp(place, step->temp);
    if (r == 0 && there)
        r = dr_reopen(place, O_RDONLY, &present);
    if (r < 0)
        return r;
    file.bytes = old.data;
    file.length = old.length;
    file.like = present;
    return there ? dr_content_replace(place, &file) : dr_content_create(place, &file);
}

static int look_present(const struct dr_place *place, char hash[DR_SHA256_HEX])
{
    _cleanup_close_ int fd = -1;
    int r = dr_reopen(place, O_RDONLY, &fd);

    return r < 0 ? r : dr_sha256_fd(fd, hash);
}

/* Before anything of the run is taken back. */
static int backup_is_whole(const struct dr_scene *scene, const struct dr_step *step, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer old = DR_BUFFER(DR_CONTENT_MOST);
    const struct dr_shelf shelf = dr_scene_shelf(scene, step);
    int r = dr_shelf_kept(&shelf, step->backup, step->before.sha256, &old);

    return r < 0 ? dr_error_set(error, r, "its backup is gone, or is not what was kept") : 0;
}

static int revert_edit(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error)
{
    _cleanup_place_ struct dr_place place = DR_PLACE;
    char hash[DR_SHA256_HEX] = "";
    int r = step->backup && step->temp ? dr_place_find(scene->places, step->path, &place, error) : -EINVAL;

    if (r == 0 && place.fd >= 0 && !S_ISREG(place.st.st_mode))
        return dr_stale(error);
    if (r == 0 && place.fd >= 0 && place.st.st_nlink != 1)
        return dr_error_set(error, -EPERM, "it has another name elsewhere (a hard link): both would change");
    if (r == 0 && place.fd >= 0)
        r = look_present(&place, hash);
    if (r < 0)
        return dr_failed(error, r, "it cannot be read");
    if (strcmp(hash, step->before.sha256) == 0) {
        r = only_look ? 0 : dr_content_drop_temp(&place, step->temp);
        return r < 0 ? dr_failed(error, r, "a temporary file cannot be removed") : 1;
    }
    /* What a command left is not known beforehand: it is kept beside the backup, whoever wrote it. */
    if (strcmp(hash, step->after.sha256) != 0 && !scene->force && !step->keep)
        return place.fd < 0 ? dr_gone(error) : dr_stale(error);
    /* What root's word is about is what root left there: anything else is the user's business, and may not be his. */
    r = strcmp(hash, step->after.sha256) == 0 ? 0 : dr_judge_reach(scene, step, &place, error);
    if (r < 0)
        return r;
    if (only_look)
        return backup_is_whole(scene, step, error);
    if (place.fd >= 0 && strcmp(hash, step->after.sha256) != 0)
        r = dr_keep_present(scene, step, &place);
    if (r == 0)
        r = put_back(scene, step, &place);
    return r < 0 ? dr_failed(error, r, "its old text cannot be put back") : 0;
}

const struct dr_kind dr_kind_edit_file = { judge_edit, make_edit, revert_edit };
