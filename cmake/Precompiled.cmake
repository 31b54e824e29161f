# Precompiled headers: a third of a cold build's time went into reading the same headers again. One per set of flags, shared by the
# targets that are compiled with these flags.
option(IOTSTREAM_PRECOMPILED "read the common headers once (src/precompiled.hpp)" ON)

# Headers are named without their folder, so that ccache takes those of two clones for the same.
# Makes `name`, to be shared by iotstream_precompile(). OPTIONS: compile options, HEADERS: what is read, LIBRARIES: where it comes from.
function(iotstream_precompiled name)
  cmake_parse_arguments(PCH "" "" "OPTIONS;HEADERS;LIBRARIES" ${ARGN})
  if(NOT IOTSTREAM_PRECOMPILED)
    return()
  endif()
  file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp" CONTENT "")
  add_library(${name} OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp")
  target_link_libraries(${name} PRIVATE iotstream_flags ${PCH_LIBRARIES})
  target_compile_options(${name} PRIVATE ${PCH_OPTIONS})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_precompile_headers(${name} PRIVATE ${PCH_HEADERS})
endfunction()

function(iotstream_precompile target name)
  if(IOTSTREAM_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()
