# dr_hardening: what every object and every link gets beside warnings.

add_library(dr_hardening INTERFACE)

target_compile_options(dr_hardening INTERFACE
                       -fPIE
                       -fno-common
                       -fno-strict-aliasing
                       -fvisibility=hidden
                       -fstack-protector-strong
                       -ffunction-sections
                       -fdata-sections)
target_link_options(dr_hardening INTERFACE -pie -Wl,--gc-sections -Wl,--as-needed)

if(OPENCLAW_DOCTOR_HARDEN)
  if(OPENCLAW_DOCTOR_SANITIZE)
    message(FATAL_ERROR "OPENCLAW_DOCTOR_HARDEN and OPENCLAW_DOCTOR_SANITIZE exclude each other: "
                        "_FORTIFY_SOURCE hides what the sanitizers look for.")
  endif()
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    set(_dr_fortify 3)
  else()
    set(_dr_fortify 2)
  endif()
  target_compile_options(dr_hardening INTERFACE
                         -U_FORTIFY_SOURCE
                         -D_FORTIFY_SOURCE=${_dr_fortify}
                         -fstack-clash-protection
                         -fno-strict-overflow
                         -fno-delete-null-pointer-checks)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|i[3-6]86)$")
    target_compile_options(dr_hardening INTERFACE -fcf-protection=full)
  endif()
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    target_compile_options(dr_hardening INTERFACE -ftrivial-auto-var-init=zero)
  endif()
  target_link_options(dr_hardening INTERFACE
                      -Wl,-z,relro
                      -Wl,-z,now
                      -Wl,-z,noexecstack
                      -Wl,-z,separate-code)
endif()

if(OPENCLAW_DOCTOR_SANITIZE)
  target_compile_options(dr_hardening INTERFACE
                         -fsanitize=${OPENCLAW_DOCTOR_SANITIZE}
                         -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(dr_hardening INTERFACE -fsanitize=${OPENCLAW_DOCTOR_SANITIZE})
  # The worker's memory limit cannot hold under AddressSanitizer, which reserves terabytes.
  target_compile_definitions(dr_hardening INTERFACE DR_SANITIZED=1)
endif()

if(OPENCLAW_DOCTOR_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "OPENCLAW_DOCTOR_FUZZ needs clang: libFuzzer is part of it.")
  endif()
  target_compile_options(dr_hardening INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(OPENCLAW_DOCTOR_COVERAGE)
  target_compile_options(dr_hardening INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(dr_hardening INTERFACE --coverage)
endif()

if(OPENCLAW_DOCTOR_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
