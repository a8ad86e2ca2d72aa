/*
 * A README on paper: headings, paragraphs, lists, code blocks, tables as lists, links as "text (address)".
 * Only what the texts of checks and fixers use; anything else appears as it is written.
 */
#ifndef DR_REPORT_MARKDOWN_H
#define DR_REPORT_MARKDOWN_H

#include "report/paper.h"

#include <stddef.h>

void dr_markdown(struct dr_paper *paper, const char *text, size_t length);

/* The section whose heading is `title` (backticks around it do not matter), heading included. False when there is none. */
bool dr_markdown_section(const char *text, const char *title, const char **ret_start, size_t *ret_length);

#endif
