/*
 * Causes: a finding that follows from another says so (`causedBy`) and is not counted twice.
 *
 * Which problem can follow from which is policy (`follows` in the problem's row); here it is only looked up whether such a cause was
 * found on a related subject. A cause that is itself a consequence passes its own cause on, so that everything hangs under a root;
 * circles are not made.
 */
#ifndef DR_ENGINE_CAUSES_H
#define DR_ENGINE_CAUSES_H

#include <cjson/cJSON.h>

/* Adds `causedBy` to the findings and sorts them: severity, then check id, then path; consequences directly after their cause. */
int dr_causes_link(cJSON *findings);

#endif
