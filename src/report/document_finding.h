/*
 * One finding of the wire as a finding of the document, with the operations of its repair as edits and effects.
 */
#ifndef DR_REPORT_DOCUMENT_FINDING_H
#define DR_REPORT_DOCUMENT_FINDING_H

#include "report/maker.h"

/* `causedBy` stays only when this is no root: so a reader knows a root by its absence. The caller owns the result. */
cJSON *dr_document_finding(struct dr_maker *maker, const cJSON *from, bool root, const cJSON *operations);

#endif
