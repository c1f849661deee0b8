# Presets that build everything each time (test, the sanitizers) compile sixteen files as one: a third of the time. So a name in an
# anonymous namespace stands once in its folder. `dev` and `release` compile file by file, and prove that each includes what it uses.

# How a folder becomes a library, a program or a test. Sources are globbed: a new file needs no CMake edit.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(linnet_options INTERFACE)
target_include_directories(linnet_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(linnet_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                -Wimplicit-fallthrough)
if(LINNET_WERROR)
  target_compile_options(linnet_options INTERFACE -Werror)
endif()
if(CMAKE_UNITY_BUILD)
  # Names of another file are no shadow, and what is local to a file is so although another one includes it.
  target_compile_options(linnet_options INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library for correct code at -O2 and above.
  target_compile_options(linnet_options INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized
                                                  -Wno-stringop-overread -Wno-dangling-pointer)
endif()
find_program(LLD ld.lld)
if(LLD)
  add_link_options(-fuse-ld=lld)  # fifty programs, each with all the libraries
endif()
if(LINNET_SANITIZE)
  add_compile_options(-fsanitize=${LINNET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LINNET_SANITIZE})
  add_compile_definitions(LINNET_SANITIZED=1)
endif()
if(LINNET_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# linnet_library(node/io WITH_SUBFOLDERS PUBLIC ... PRIVATE ...): static library linnet_node_io of every .cpp in that folder
# but main.cpp, and in the folders below it where that is said.
function(linnet_library folder)
  cmake_parse_arguments(ARG "WITH_SUBFOLDERS" "" "PUBLIC;PRIVATE" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(glob GLOB)
  if(ARG_WITH_SUBFOLDERS)
    set(glob GLOB_RECURSE)
  endif()
  file(${glob} sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(linnet_${name} INTERFACE)
    target_link_libraries(linnet_${name} INTERFACE linnet_options ${ARG_PUBLIC} ${ARG_PRIVATE})
    return()
  endif()
  add_library(linnet_${name} STATIC ${sources})
  target_link_libraries(linnet_${name} PUBLIC linnet_options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

function(linnet_program name main)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${main})
    add_executable(${name} ${main})
    target_link_libraries(${name} PRIVATE linnet_options ${ARGN})
  endif()
endfunction()
