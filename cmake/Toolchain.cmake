# Compiler, warnings, sanitizers, and the link of the one binary.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Sloppiness: without it nothing is kept that was compiled with a precompiled header. Base and no hash of the directory: what one clone
  # compiled serves another.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=true "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# What every translation unit of ours is compiled with. x86-64-v2 brings the CRC32 instruction (2009 and later);
# contraction is off so that arithmetic is the same on every compiler and machine.
add_library(iotstream_flags INTERFACE)
target_compile_options(iotstream_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -ffp-contract=off -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  # GCC 12 sees impossible overlaps and sizes in its own headers, in std::string's operator+ and = (its bugs 105651, 105329); read from
  # a precompiled header it does not take them for the system's.
  target_compile_options(iotstream_flags INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
    -Wno-stringop-overread)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(iotstream_flags INTERFACE -march=x86-64-v2)
endif()
target_include_directories(iotstream_flags INTERFACE "${PROJECT_SOURCE_DIR}/include")
target_compile_definitions(iotstream_flags INTERFACE IOTSTREAM_VERSION="${PROJECT_VERSION}")

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -D_GLIBCXX_ASSERTIONS")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1")
set(CMAKE_EXE_LINKER_FLAGS_SANITIZE "")
if(IOTSTREAM_SANITIZE)
  # With sanitizers GCC takes values behind a checked std::variant for uninitialised; the sanitizers would tell.
  add_compile_options(-fsanitize=${IOTSTREAM_SANITIZE} -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  # Checks at every use of a pointer took half of the time of compiling with this sanitizer. Address stops at null pointers, too; places
  # that x86 reads at any alignment are what is given up.
  if(IOTSTREAM_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=null,alignment,object-size)
  endif()
  # GCC says that ThreadSanitizer does not see fences. Only moodycamel's queue has some; none of ours do.
  if(IOTSTREAM_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
  add_link_options(-fsanitize=${IOTSTREAM_SANITIZE})
else()
  # Unused functions of the static libraries are left out of the binary.
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()
