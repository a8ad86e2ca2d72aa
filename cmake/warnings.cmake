# Warnings, one per line, by compiler and the version that first knows it.
# dr_warnings: for code that ships. dr_test_warnings: for tests, where libcheck's macros convert freely.

set(_dr_wall
    -Wall
    -Wextra
    -Wpedantic
    -Wshadow
    -Wstrict-prototypes
    -Wmissing-prototypes
    -Wmissing-declarations
    -Wold-style-definition
    -Wwrite-strings
    -Wpointer-arith
    -Wundef
    -Wvla
    -Wformat=2
    -Wimplicit-fallthrough
    -Wredundant-decls
    -Wnested-externs
    -Wdate-time)

set(_dr_wstrict
    -Wconversion
    -Wsign-conversion
    -Wcast-qual
    -Wcast-align
    -Walloca
    -Wnull-dereference
    -Wdouble-promotion)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND _dr_wstrict
       -Wduplicated-cond
       -Wduplicated-branches
       -Wlogical-op
       -Wjump-misses-init
       -Wformat-signedness
       -Wformat-overflow=2
       -Wformat-truncation=2
       -Wstringop-overflow=4
       -Warray-bounds=2
       -Wtrampolines
       -Warith-conversion)
  if(CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    list(APPEND _dr_wstrict -Wuse-after-free=3 -Wbidi-chars=any)
  endif()
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
  # Not -Wconditional-uninitialized: it cannot see that a ret_ output is set whenever the result is not negative.
  list(APPEND _dr_wstrict
       -Wmissing-variable-declarations
       -Wcomma
       -Wassign-enum
       -Wextra-semi-stmt
       -Wunreachable-code
       -Wshift-sign-overflow)
endif()

add_library(dr_warnings INTERFACE)
target_compile_options(dr_warnings INTERFACE ${_dr_wall} ${_dr_wstrict})

add_library(dr_test_warnings INTERFACE)
target_compile_options(dr_test_warnings INTERFACE ${_dr_wall})

# A module's one public symbol is declared by the generated registry, not by a header of its own.
add_library(dr_module_warnings INTERFACE)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  target_compile_options(dr_module_warnings INTERFACE -Wno-missing-variable-declarations)
endif()

if(OPENCLAW_DOCTOR_WERROR)
  target_compile_options(dr_warnings INTERFACE -Werror)
  target_compile_options(dr_test_warnings INTERFACE -Werror)
endif()

# gcc's analyser.
add_library(dr_analyzer INTERFACE)
if(OPENCLAW_DOCTOR_ANALYZE)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "OPENCLAW_DOCTOR_ANALYZE needs gcc: -fanalyzer is its option.")
  endif()
  target_compile_options(dr_analyzer INTERFACE
                         -fanalyzer
                         # gcc 12 loses the value of a variable that has the cleanup attribute where its scope is left
                         # early; -Wmaybe-uninitialized, valgrind and the sanitizers watch this instead.
                         -Wno-analyzer-use-of-uninitialized-value
                         # It does not follow a pointer into a struct or array that a cleanup function frees; leaks
                         # are LeakSanitizer's and valgrind's. Shown, but no error.
                         -Wno-error=analyzer-malloc-leak
                         # At -O2, gcc believes that errno may be 0 after a failed call, so that `return -errno`
                         # were success with its ret_ output unset, or NULL still. Shown, but no error.
                         -Wno-error=analyzer-null-argument
                         -Wno-error=maybe-uninitialized)
endif()
