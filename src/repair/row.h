/*
 * One row of a database: looked at, changed, put back, inside the transaction that dr_database_open began.
 *
 * An image is what a row (or the one column that is changed) holds, as JSON (row_image.h): it goes into the backup, its hash into
 * the journal.
 */
#ifndef DR_REPAIR_ROW_H
#define DR_REPAIR_ROW_H

#include "repair/database.h"

/* The present image; NULL when there is no such row. -ESTALE when the key fits several rows. Caller frees. */
int dr_row_image(struct dr_database *database, const struct dr_row_change *row, char **ret_image,
                 struct dr_error *error) DR_MUST_CHECK;

/* Refuses (-ESTALE) when the column's text is not what was judged. */
int dr_row_expect(struct dr_database *database, const struct dr_row_change *row, struct dr_error *error) DR_MUST_CHECK;

/* The image as the change would leave it; NULL for a deletion. Caller frees. */
int dr_row_image_after(struct dr_database *database, const struct dr_row_change *row, char **ret_image,
                       struct dr_error *error) DR_MUST_CHECK;

/* Makes the row what `image` says: updates its column, inserts it, or (NULL) deletes it. Exactly one row, or -ESTALE. */
int dr_row_put(struct dr_database *database, const struct dr_row_change *row, const char *image,
               struct dr_error *error) DR_MUST_CHECK;

#endif
