/*
 * What was asked of the network, as `probes` of the document.
 */
#ifndef DR_REPORT_DOCUMENT_PROBES_H
#define DR_REPORT_DOCUMENT_PROBES_H

#include "report/maker.h"

/* Nothing is added when nothing was to be asked. `deterministic` leaves the times out. `probes` may be NULL. */
void dr_document_probes(struct dr_maker *maker, cJSON *document, const cJSON *probes, bool deterministic);

#endif
