/*
 * A folder below /tmp for each test, and an arena. The includer says how much memory that may take:
 *   #define HOME_MEGABYTES 64
 */
#ifndef HOME_FOLDER_H
#define HOME_FOLDER_H

#include "base/arena.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char home[] = "/tmp/dr-home-XXXXXX";
static struct dr_arena arena = DR_ARENA((size_t)HOME_MEGABYTES << 20);

static void make_home(void)
{
    memcpy(strrchr(home, '-'), "-XXXXXX", 7);
    ck_assert_ptr_nonnull(mkdtemp(home));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_home(void)
{
    dr_arena_release(&arena);
    (void)nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_home(const char *name)
{
    return dr_arena_format(&arena, "%s/%s", home, name);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_home(name), "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

#endif
