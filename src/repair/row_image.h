/*
 * Values of a row as JSON and back, exactly: [{"name", "type", "value"}]. Numbers in decimal, texts and blobs as hex, so NUL and invalid
 * UTF-8 survive.
 */
#ifndef DR_REPAIR_ROW_IMAGE_H
#define DR_REPAIR_ROW_IMAGE_H

#include <cjson/cJSON.h>
#include <sqlite3.h>

/* The row that the statement stands on. Caller frees. -ENOMEM also when it is too large. */
int dr_image_of(sqlite3_stmt *statement, char **ret_image);

/* Binds the values to ?1, ?2, ... -EINVAL for what dr_image_of does not write. */
int dr_image_bind(sqlite3_stmt *statement, const cJSON *columns);

#endif
