/* Buffers, arena, text, spans and file reads: the ground that everything stands on. */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/diff.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

START_TEST(a_buffer_never_exceeds_its_ceiling)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(8);

    ck_assert_int_eq(dr_buffer_append_text(&buffer, "12345678"), 0);
    ck_assert_int_eq(dr_buffer_append_byte(&buffer, '9'), -E2BIG);
    ck_assert_str_eq(dr_buffer_text(&buffer), "12345678");
    dr_buffer_clear(&buffer);
    ck_assert_int_eq(dr_buffer_appendf(&buffer, "%d-%s", 42, "abcde"), 0);
    ck_assert_str_eq(dr_buffer_text(&buffer), "42-abcde");
    ck_assert_int_eq(dr_buffer_appendf(&buffer, "%s", "x"), -E2BIG);
}
END_TEST

START_TEST(an_arena_gives_zeroed_aligned_memory_up_to_its_ceiling)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(1024 * 1024);
    unsigned char *first = dr_arena_alloc(&arena, 3);
    unsigned char *large = dr_arena_alloc(&arena, 100000);
    unsigned char *after = dr_arena_alloc(&arena, 5);

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(large);
    ck_assert_ptr_nonnull(after);
    for (size_t i = 0; i < 100000; i++)
        ck_assert_int_eq(large[i], 0);
    ck_assert_int_eq((int)((uintptr_t)after % _Alignof(max_align_t)), 0);
    ck_assert_ptr_null(dr_arena_alloc(&arena, 1024 * 1024));
    ck_assert_str_eq(dr_arena_format(&arena, "%s-%d", "a", 1), "a-1");
}
END_TEST

static const struct {
    const char *path, *clean;
} clean_paths[] = {
    { "/a/b/../c", "/a/c" },
    { "//a///b/", "/a/b" },
    { "/..", "/" },
    { "/../../x", "/x" },
    { "a/../..", ".." },
    { "./a/./b", "a/b" },
    { "", "." },
    { "/", "/" },
    { "../../a", "../../a" },
    { "a/b/../../..", ".." },
    { "/a/..b", "/a/..b" },
    { "/a/b/..", "/a" },
};

START_TEST(paths_are_cleaned_by_their_letters)
{
    char *clean = dr_path_clean(clean_paths[_i].path);

    ck_assert_str_eq(clean, clean_paths[_i].clean);
    free(clean);
}
END_TEST

START_TEST(the_home_is_shown_as_a_tilde_and_nothing_else)
{
    char *inside = dr_path_tilde("/home/oc/.openclaw/x", "/home/oc");
    char *outside = dr_path_tilde("/home/ocean/x", "/home/oc");

    ck_assert_str_eq(inside, "~/.openclaw/x");
    ck_assert_str_eq(outside, "/home/ocean/x");
    free(inside);
    free(outside);
    ck_assert(dr_path_is_below("/a/b", "/a"));
    ck_assert(!dr_path_is_below("/ab", "/a"));
}
END_TEST

static const struct {
    const char *text;
    size_t length;
    const char *safe;
} safe_texts[] = {
    { "plain", 5, "plain" },          { "a\nb\tc\r", 6, "a\\nb\\tc\\r" },
    { "\x1b[31m", 5, "\\x1b[31m" },   { "\xff\xfe", 2, "\\xff\\xfe" },
    { "\xc3\xa9", 2, "\xc3\xa9" },    { "a\0b", 3, "a\\x00b" },
    { "\xe2\x80\xae", 3, "\\u202e" }, { "\xe2\x80\x8b", 3, "\\u200b" },
    { "\xc2\x9b", 2, "\\u009b" },     { "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },
    { "\xc0\xaf", 2, "\\xc0\\xaf" },
};

START_TEST(text_cannot_confuse_a_terminal)
{
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(256);

    ck_assert_int_eq(dr_text_append_safe(&safe, safe_texts[_i].text, safe_texts[_i].length), 0);
    ck_assert_str_eq(dr_buffer_text(&safe), safe_texts[_i].safe);
}
END_TEST

START_TEST(a_fingerprint_is_the_start_of_the_sha256)
{
    char fingerprint[DR_FINGERPRINT];
    char hex[DR_SHA256_HEX];
    unsigned char short_digest[DR_SHA1_BYTES];

    ck_assert_int_eq(dr_sha1("abc", 3, short_digest), 0);
    ck_assert_mem_eq(short_digest, "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d",
                     DR_SHA1_BYTES);
    dr_fingerprint("abc", 3, fingerprint);
    ck_assert_str_eq(fingerprint, "fp:ba7816bf");
    ck_assert_int_eq(dr_sha256_hex("", 0, hex), 0);
    ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

static const struct {
    const char *before;
    struct dr_span_edit edits[3];
    size_t count;
    const char *after, *diff;
} spans[] = {
    { "one\ntwo\nthree\n",
      { { 4, 3, "2", 1 } },
      1,
      "one\n2\nthree\n",
      "--- f\n+++ f\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n" },
    { "a\nb\n", { { 2, 0, "x\n", 2 } }, 1, "a\nx\nb\n", "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n+x\n b\n" },
    { "a\nb\n", { { 1, 0, "\nx", 2 } }, 1, "a\nx\nb\n", "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n+x\n b\n" },
    { "a\nb\n", { { 1, 0, "\na", 2 } }, 1, "a\na\nb\n", "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n+a\n b\n" },
    { "a\nb\nc\n", { { 2, 2, NULL, 0 } }, 1, "a\nc\n", "--- f\n+++ f\n@@ -1,3 +1,2 @@\n a\n-b\n c\n" },
    { "[]",
      { { 0, 2, "{}", 2 } },
      1,
      "{}",
      "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-[]\n\\ No newline at end of file\n+{}\n\\ No newline at end of file\n" },
    { "a\nb\nc\nd\n",
      { { 0, 1, "A", 1 }, { 4, 1, "C", 1 } },
      2,
      "A\nb\nC\nd\n",
      "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n b\n-c\n+C\n d\n" },
    { "", { { 0, 0, "x\n", 2 } }, 1, "x\n", "--- f\n+++ f\n@@ -1,0 +1,1 @@\n+x\n" },
    { "abc\n", { { 0, 1, "A", 1 }, { 2, 1, "C", 1 } }, 2, "AbC\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-abc\n+AbC\n" },
    { "1\n2\n3\n4\n5\n6\n7\n8\n9\nA\nB\nC\n",
      { { 0, 1, "x", 1 }, { 22, 1, "y", 1 } },
      2,
      "x\n2\n3\n4\n5\n6\n7\n8\n9\nA\nB\ny\n",
      "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -9,4 +9,4 @@\n 9\n A\n B\n-C\n+y\n" },
};

START_TEST(spans_are_applied_and_shown)
{
    _cleanup_buffer_ struct dr_buffer after = DR_BUFFER(4096);
    _cleanup_buffer_ struct dr_buffer diff = DR_BUFFER(4096);
    const char *before = spans[_i].before;

    ck_assert_int_eq(dr_spans_apply(before, strlen(before), spans[_i].edits, spans[_i].count, &after), 0);
    ck_assert_str_eq(dr_buffer_text(&after), spans[_i].after);
    ck_assert_int_eq(dr_diff_spans("f", before, strlen(before), spans[_i].edits, spans[_i].count, &diff), 0);
    ck_assert_str_eq(dr_buffer_text(&diff), spans[_i].diff);
}
END_TEST

START_TEST(spans_outside_or_overlapping_are_refused)
{
    _cleanup_buffer_ struct dr_buffer after = DR_BUFFER(4096);
    const struct dr_span_edit outside[] = { { 3, 2, "", 0 } };
    const struct dr_span_edit overlap[] = { { 0, 2, "", 0 }, { 1, 1, "", 0 } };
    const struct dr_span_edit wraps[] = { { 1, UINT64_MAX, "", 0 } };

    ck_assert_int_eq(dr_spans_apply("abcd", 4, outside, 1, &after), -EINVAL);
    ck_assert_int_eq(dr_spans_apply("abcd", 4, overlap, 2, &after), -EINVAL);
    ck_assert_int_eq(dr_spans_apply("abcd", 4, wraps, 1, &after), -EINVAL);
}
END_TEST

static char folder[] = "/tmp/dr-base-XXXXXX";

static void enter_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    static const char *const names[] = { "file", "link", "fifo", "sparse", "outside" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        (void)unlink(names[i]);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *name, const char *text)
{
    FILE *stream = fopen(name, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

START_TEST(only_a_regular_file_is_read)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(100);
    struct dr_file_identity identity;

    put("file", "hello");
    ck_assert_int_eq(symlink("file", "link"), 0);
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "file", &text, &identity), 0);
    ck_assert_str_eq(dr_buffer_text(&text), "hello");
    ck_assert_int_eq((int)identity.size, 5);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "link", &text, NULL), -ELOOP);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "fifo", &text, NULL), -EINVAL);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, ".", &text, NULL), -EINVAL);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "missing", &text, NULL), -ENOENT);
}
END_TEST

/* Around the sizes of the pieces that are read at once; the ceiling may be exactly the file's size; /proc says 0 and has more. */
static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65534, 65535, 65536, 65537, 200000 };

START_TEST(a_file_of_any_size_is_read_whole)
{
    _cleanup_buffer_ struct dr_buffer wide = DR_BUFFER(1000000), exact = DR_BUFFER(sizes[_i]), system = DR_BUFFER(1000000);
    _cleanup_free_ char *bytes = malloc(sizes[_i] + 1);

    for (size_t i = 0; i < sizes[_i]; i++)
        bytes[i] = (char)('a' + i % 23);
    bytes[sizes[_i]] = '\0';
    put("file", bytes);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "file", &wide, NULL), 0);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "file", &exact, NULL), 0);
    ck_assert_uint_eq(wide.length, sizes[_i]);
    ck_assert_uint_eq(exact.length, sizes[_i]);
    ck_assert_str_eq(dr_buffer_text(&wide), bytes);
    ck_assert_str_eq(dr_buffer_text(&exact), bytes);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "/proc/self/smaps", &system, NULL), 0);
    ck_assert_uint_gt(system.length, 4096);
}
END_TEST

START_TEST(a_file_beyond_the_ceiling_is_too_large_and_costs_nothing)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(100);
    int fd = open("sparse", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, 5L << 30), 0);
    (void)close(fd);
    ck_assert_int_eq(dr_read_file(AT_FDCWD, "sparse", &text, NULL), -E2BIG);
    ck_assert_int_eq((int)text.capacity, 0);
}
END_TEST

START_TEST(a_root_cannot_be_left)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(100000);
    _cleanup_close_ int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    put("file", "inside");
    ck_assert_int_eq(symlink("/etc", "outside"), 0);
    ck_assert_int_eq(dr_read_file(root, "/file", &text, NULL), 0);
    ck_assert_str_eq(dr_buffer_text(&text), "inside");
    ck_assert_int_eq(dr_read_file(root, "/outside/passwd", &text, NULL), -ENOENT);
    ck_assert_int_eq(dr_read_file(root, "/../../../../etc/passwd", &text, NULL), -ENOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *memory = tcase_create("memory");
    TCase *text = tcase_create("text");
    TCase *files = tcase_create("files");

    tcase_add_test(memory, a_buffer_never_exceeds_its_ceiling);
    tcase_add_test(memory, an_arena_gives_zeroed_aligned_memory_up_to_its_ceiling);
    tcase_add_loop_test(text, paths_are_cleaned_by_their_letters, 0, (int)DR_COUNT(clean_paths));
    tcase_add_test(text, the_home_is_shown_as_a_tilde_and_nothing_else);
    tcase_add_loop_test(text, text_cannot_confuse_a_terminal, 0, (int)DR_COUNT(safe_texts));
    tcase_add_test(text, a_fingerprint_is_the_start_of_the_sha256);
    tcase_add_loop_test(text, spans_are_applied_and_shown, 0, (int)DR_COUNT(spans));
    tcase_add_test(text, spans_outside_or_overlapping_are_refused);
    tcase_add_checked_fixture(files, enter_folder, leave_folder);
    tcase_add_test(files, only_a_regular_file_is_read);
    tcase_add_loop_test(files, a_file_of_any_size_is_read_whole, 0, (int)DR_COUNT(sizes));
    tcase_add_test(files, a_file_beyond_the_ceiling_is_too_large_and_costs_nothing);
    tcase_add_test(files, a_root_cannot_be_left);
    suite_add_tcase(suite, memory);
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, files);

    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
