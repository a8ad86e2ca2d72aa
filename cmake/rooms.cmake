# The rooms of src/, one object library each, and the program.
#
# A room's include path is a folder of links, <build>/inc/<room>/, that holds exactly the rooms which
# cmake/arrows.txt allows it: "facts/target.h" in src/base does not compile, whoever writes it.
# A room without a source file yet is simply not there.

# Reads arrows.txt: sets DR_ROOMS, and DR_ARROWS_<room> for each.
function(_dr_read_arrows)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/arrows.txt)
  file(STRINGS ${CMAKE_SOURCE_DIR}/cmake/arrows.txt lines REGEX "^[a-z]+:")
  set(rooms "")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([a-z]+): *(.*)$" _ "${line}")
    set(room ${CMAKE_MATCH_1})
    string(REPLACE " " ";" below "${CMAKE_MATCH_2}")
    list(APPEND rooms ${room})
    set(DR_ARROWS_${room} "${below}" PARENT_SCOPE)
  endforeach()
  set(DR_ROOMS "${rooms}" PARENT_SCOPE)
endfunction()

# Fills <build>/inc/<name>/ with links to the given rooms, and nothing else.
function(dr_include_folder name)
  set(folder ${CMAKE_BINARY_DIR}/inc/${name})
  file(MAKE_DIRECTORY ${folder})
  file(GLOB old LIST_DIRECTORIES true ${folder}/*)
  foreach(link IN LISTS old)
    get_filename_component(room ${link} NAME)
    if(NOT room IN_LIST ARGN)
      file(REMOVE ${link})
    endif()
  endforeach()
  foreach(room IN LISTS ARGN)
    if(NOT EXISTS ${folder}/${room})
      file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${room} ${folder}/${room} SYMBOLIC)
    endif()
  endforeach()
endfunction()

# Flags that every object of ours gets, tests included.
add_library(dr_common INTERFACE)
target_compile_definitions(dr_common INTERFACE _GNU_SOURCE)
target_link_libraries(dr_common INTERFACE dr_hardening)

# Flags of the code that ships: strict warnings, analysers.
add_library(dr_shipped INTERFACE)
target_link_libraries(dr_shipped INTERFACE dr_common dr_warnings)
target_compile_definitions(dr_shipped INTERFACE DR_VERSION="${PROJECT_VERSION}")

function(dr_analyse target)
  if(OPENCLAW_DOCTOR_ANALYZE)
    target_link_libraries(${target} PRIVATE dr_analyzer)
  endif()
  if(OPENCLAW_DOCTOR_TIDY)
    find_program(DR_CLANG_TIDY clang-tidy REQUIRED)
    set_property(TARGET ${target} PROPERTY C_CLANG_TIDY ${DR_CLANG_TIDY} --quiet)
  endif()
endfunction()

set_property(GLOBAL PROPERTY DR_OBJECTS "")

function(dr_add_rooms)
  _dr_read_arrows()
  foreach(room IN LISTS DR_ROOMS)
    dr_include_folder(${room} ${room} ${DR_ARROWS_${room}})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.c)
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/src/cli/main.c)
    if(sources)
      add_library(dr_${room} OBJECT ${sources})
      target_include_directories(dr_${room} PRIVATE ${CMAKE_BINARY_DIR}/inc/${room})
      target_link_libraries(dr_${room} PRIVATE dr_shipped dr_deps)
      dr_analyse(dr_${room})
      set_property(GLOBAL APPEND PROPERTY DR_OBJECTS $<TARGET_OBJECTS:dr_${room}>)
    endif()
  endforeach()
endfunction()

# dr_internal: all of the program but main(), which the tests link; openclaw-doctor: main() and dr_internal.
function(dr_add_program)
  get_property(objects GLOBAL PROPERTY DR_OBJECTS)
  add_library(dr_internal STATIC ${objects})
  target_link_libraries(dr_internal PUBLIC dr_deps dr_common)

  file(GLOB main CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/main.c)
  if(NOT main)
    message(STATUS "src/cli/main.c is not there yet: no program, only the library")
    return()
  endif()
  add_executable(openclaw-doctor ${main})
  target_include_directories(openclaw-doctor PRIVATE ${CMAKE_BINARY_DIR}/inc/cli)
  target_link_libraries(openclaw-doctor PRIVATE dr_shipped dr_internal)
  dr_analyse(openclaw-doctor)
  install(TARGETS openclaw-doctor RUNTIME DESTINATION bin)
endfunction()
