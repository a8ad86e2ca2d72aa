/*
 * The parts of the human report. Each writes to the view's paper; nobody decides anything here.
 */
#ifndef DR_REPORT_HUMAN_H
#define DR_REPORT_HUMAN_H

#include "report/paper.h"

/* How many of each class of repair, by state. */
struct dr_repair_count {
    unsigned made, refused, undone, stuck, planned;
};

struct dr_view {
    const cJSON *document;
    const cJSON *summary;
    const cJSON *target;
    const char *mode;
    const struct dr_human_options *options;
    struct dr_repair_count repairs;
    struct dr_paper paper;
};

/* A repair that this user may not make and root may: by hand here, but one `sudo` away. */
bool dr_view_is_for_root(const cJSON *finding);

/* "Label:  " in a column of its own on wide paper; what follows wraps beside it. */
void dr_view_label(struct dr_view *view, const char *label);

/* path:line:column (pointer) of a finding or unknown; nothing without a path. False then. */
bool dr_view_place(struct dr_view *view, const cJSON *json, const char *pointer);

void dr_view_findings(struct dr_view *view);
void dr_view_plan(struct dr_view *view);
void dr_view_repairs(struct dr_view *view);
void dr_view_unknowns(struct dr_view *view);
void dr_view_passed(struct dr_view *view);
void dr_view_probes(struct dr_view *view);
void dr_view_next(struct dr_view *view);

/* A word as a shell reads it back: quoted when needed, a leading "~/" left for the shell. */
int dr_shell_word(struct dr_buffer *text, const char *word) DR_MUST_CHECK;

/* summary.<name> or summary.<group>.<name>, 0 when absent. */
unsigned dr_view_count(const struct dr_view *view, const char *group, const char *name);

/* Questions without an answer, each reason at each place once. */
unsigned dr_view_unanswered(const struct dr_view *view);

bool dr_view_is(const struct dr_view *view, const char *mode);

#endif
