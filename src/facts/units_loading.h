/*
 * One service while it is put together from its files.
 */
#ifndef DR_FACTS_UNITS_LOADING_H
#define DR_FACTS_UNITS_LOADING_H

#include "facts/units.h"
#include "facts/units_find.h"
#include "format/systemd_unit.h"

enum { DR_MOST_UNIT_FILES = 1 + DR_MOST_DROP_INS, DR_MOST_VARIABLES = 256, DR_MOST_NOT_READ = 16 };

struct dr_unit_loading {
    struct dr_context *context;
    const struct dr_target *target;
    const struct dr_unit_place *place;
    struct dr_service *service;
    struct dr_unit units[DR_MOST_UNIT_FILES];
    struct dr_text_file *files[DR_MOST_UNIT_FILES];
    bool vendor[DR_MOST_UNIT_FILES];
    size_t unit_count;
    struct dr_service_variable *variables;
    const char **not_read;
    size_t not_read_count;
    const char **gone_files;
    size_t gone_count;
};

/* The effective entries of all files; and in which of them one stands. */
size_t dr_units_entries(const struct dr_unit_loading *loading, const char *section, const char *key,
                        const struct dr_unit_entry *const **ret_entries);
size_t dr_units_file_of(const struct dr_unit_loading *loading, const struct dr_unit_entry *entry);

/* Remembers that a file could not be read, and why. */
void dr_units_not_read(struct dr_unit_loading *loading, const char *path, int code);
/* Text with %h and its like replaced; NULL when one is left that the files do not tell. Arena. */
const char *dr_units_expand(struct dr_unit_loading *loading, const char *text);
/* Environment=, EnvironmentFile= and UnsetEnvironment= -> the service's variables. */
void dr_units_environment(struct dr_unit_loading *loading);

/* What the unit says of itself: version, port, what wants it, whether it is a gateway. */
void dr_units_describe(struct dr_unit_loading *loading);

#endif
