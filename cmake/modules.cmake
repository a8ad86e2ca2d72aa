# The registry: checks and fixers are found in their folders, never listed.
#
#   checks/<area>-<subject>/check.c   defines  const struct dr_check dr_check_<area>_<subject>
#   fixers/<object>-<verb>/fixer.c    defines  const struct dr_fixer dr_fixer_<object>_<verb>
#   README.md beside it               the text behind `explain`, embedded as it is
#
# From these it writes <build>/gen/registry.c, whose tables src/api/registry.h declares. A new folder is
# seen by the next build (CONFIGURE_DEPENDS). A folder with a bad name or without its text stops here.
#
# Modules see src/api and nothing else: their include path holds only that.

# A file as a C character array: its bytes may be anything, its length is not bound by the compiler.
function(_dr_c_bytes file ret)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  set(${ret} "{${bytes}'\\0'}" PARENT_SCOPE)
endfunction()

# _dr_scan(<kind> <file>): modules below ${kind}s/; appends to sources, externs, table, arrays, texts of the caller.
macro(_dr_scan kind)
  set(${kind}_sources "")
  set(${kind}_externs "")
  set(${kind}_table "")
  file(GLOB folders LIST_DIRECTORIES true CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${kind}s/*)
  list(SORT folders COMPARE STRING)
  foreach(folder IN LISTS folders)
    get_filename_component(id ${folder} NAME)
    if(NOT IS_DIRECTORY ${folder})
      continue()
    endif()
    if(NOT id MATCHES "^[a-z][a-z0-9]*(-[a-z0-9]+)+$")
      message(FATAL_ERROR "${kind}s/${id}: a module's folder is named in lower case with a dash, "
                          "such as token-mismatch. Rename it.")
    endif()
    foreach(needed ${kind}.c README.md)
      if(NOT EXISTS ${folder}/${needed})
        message(FATAL_ERROR "${kind}s/${id}: ${needed} is missing. See docs/adding-a-check.md.")
      endif()
    endforeach()
    string(REPLACE "-" "_" symbol "dr_${kind}_${id}")
    file(GLOB module_sources CONFIGURE_DEPENDS ${folder}/*.c)
    list(APPEND ${kind}_sources ${module_sources})
    string(APPEND ${kind}_externs "extern const struct dr_${kind} ${symbol};\n")
    string(APPEND ${kind}_table "    &${symbol},\n")
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/README.md)
    _dr_c_bytes(${folder}/README.md bytes)
    string(APPEND text_arrays "static const char text_${kind}_${symbol}[] = ${bytes};\n")
    string(APPEND text_table "    {\"${id}\", text_${kind}_${symbol}},\n")
  endforeach()
endmacro()

function(_dr_module_library kind)
  if(${kind}_sources)
    add_library(dr_${kind}s OBJECT ${${kind}_sources})
    target_include_directories(dr_${kind}s PRIVATE ${CMAKE_BINARY_DIR}/inc/module)
    target_link_libraries(dr_${kind}s PRIVATE dr_shipped dr_module_warnings)
    dr_analyse(dr_${kind}s)
    set_property(GLOBAL APPEND PROPERTY DR_OBJECTS $<TARGET_OBJECTS:dr_${kind}s>)
  endif()
endfunction()

function(dr_add_modules)
  set(text_arrays "")
  set(text_table "")
  _dr_scan(check)
  _dr_scan(fixer)

  set(schema ${CMAKE_SOURCE_DIR}/docs/report-schema.json)
  set(schema_bytes "{'\\0'}")
  file(GLOB found CONFIGURE_DEPENDS ${schema})
  if(found)
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema})
    _dr_c_bytes(${schema} schema_bytes)
  endif()

  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gen/registry.c @ONLY CONTENT
"/* Written by cmake/modules.cmake from the folders checks/ and fixers/. Do not edit. */
#include \"api/registry.h\"

#include <stddef.h>

@check_externs@@fixer_externs@
const struct dr_check *const dr_check_table[] = {
@check_table@    NULL,
};

const struct dr_fixer *const dr_fixer_table[] = {
@fixer_table@    NULL,
};

@text_arrays@
const struct dr_text dr_text_table[] = {
@text_table@    {NULL, NULL},
};

const char dr_report_schema_text[] = @schema_bytes@;
")
  dr_include_folder(module api)
  add_library(dr_registry OBJECT ${CMAKE_BINARY_DIR}/gen/registry.c)
  target_include_directories(dr_registry PRIVATE ${CMAKE_BINARY_DIR}/inc/module)
  target_link_libraries(dr_registry PRIVATE dr_shipped)
  set_property(GLOBAL APPEND PROPERTY DR_OBJECTS $<TARGET_OBJECTS:dr_registry>)
  _dr_module_library(check)
  _dr_module_library(fixer)
endfunction()
