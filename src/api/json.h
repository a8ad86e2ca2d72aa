/*
 * JSON files of the device store, for fixers: where a value stands, and edits that change only the bytes that they must.
 *
 * Strict JSON, as JSON.parse reads it. Everything lives in the run's memory. Edits are sorted and do not overlap; they go into
 * dr_plan_edit_file together with dr_json_state() and dr_json_sha256().
 */
#ifndef DR_API_JSON_H
#define DR_API_JSON_H

#include "api/operation.h"

struct dr_json_file;

/* NULL when it cannot be read as JSON; `*ret_why` then says why. */
const struct dr_json_file *dr_json_load(struct dr_context *context, const char *path, const char **ret_why);
const struct dr_file_identity *dr_json_state(const struct dr_json_file *file);
const char *dr_json_sha256(const struct dr_json_file *file);

struct dr_json_edits {
    struct dr_edit *list;
    size_t count, room;
};

/*
 * Where the text at `keys` (NULL-ended, from the root) stands, without its quotes. False: absent, or no text, or a key on the way is
 * given twice.
 */
bool dr_json_text_at(const struct dr_json_file *file, const char *const *keys, uint64_t *ret_offset, uint64_t *ret_length);

/*
 * Each adds to `edits`; false when the file has not the shape for it (then nothing is added).
 *   array_to_object  the root array becomes an object; each element, an object, gets the text of its member `key` as its key
 *   set_list         the array of texts at `keys` becomes `values` (NULL-ended), spelt as the array was: on one line or on many
 *   set_text         the text at `keys` becomes `text` (no quotes or backslashes in it; never a secret)
 *   remove           members of the root with these keys (NULL-ended) go, with their commas
 */
bool dr_json_array_to_object(struct dr_context *context, const struct dr_json_file *file, const char *key,
                             struct dr_json_edits *edits);
bool dr_json_set_list(struct dr_context *context, const struct dr_json_file *file, const char *const *keys,
                      const char *const *values, struct dr_json_edits *edits);
bool dr_json_set_text(struct dr_context *context, const struct dr_json_file *file, const char *const *keys, const char *text,
                      struct dr_json_edits *edits);
bool dr_json_remove(struct dr_context *context, const struct dr_json_file *file, const char *const *keys,
                    struct dr_json_edits *edits);

#endif
