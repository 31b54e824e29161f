# Third parties, as targets that link statically. Where Debian ships only a shared library the reason is at the place.
find_package(Threads REQUIRED)

# Their undefined behaviour is not ours to find, and looking for it doubled the time of compiling them.
if(IOTSTREAM_SANITIZE MATCHES "undefined")
  set(iotstream_third_party_options -fno-sanitize=undefined)
endif()

# Boost.Asio and Boost.Beast: headers; their non-template parts are compiled once, in src/net/asio.cpp.
find_package(Boost 1.81 REQUIRED)
add_library(iotstream_boost INTERFACE)
target_include_directories(iotstream_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(iotstream_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE)
# g++ sees asio's aligned_alloc without the free() that belongs to it, and takes the pair for a mismatch.
target_compile_options(iotstream_boost INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
target_link_libraries(iotstream_boost INTERFACE Threads::Threads)

# fmt: Debian has no static library, so its few non-template functions are compiled once, from its own headers.
add_library(iotstream_fmt STATIC "${PROJECT_SOURCE_DIR}/cmake/fmt.cpp")
target_compile_definitions(iotstream_fmt PUBLIC FMT_USE_CONSTEXPR=1)
target_compile_options(iotstream_fmt PRIVATE ${iotstream_third_party_options})
add_library(iotstream::fmt ALIAS iotstream_fmt)

# simdjson: Debian ships only a shared library; with its source at hand it is linked in.
if(IOTSTREAM_SIMDJSON_SOURCE)
  add_library(iotstream_simdjson STATIC "${IOTSTREAM_SIMDJSON_SOURCE}/singleheader/simdjson.cpp")
  target_include_directories(iotstream_simdjson SYSTEM PUBLIC "${IOTSTREAM_SIMDJSON_SOURCE}/singleheader")
  target_compile_options(iotstream_simdjson PRIVATE -O2 ${iotstream_third_party_options})
else()
  find_package(simdjson CONFIG REQUIRED)
  add_library(iotstream_simdjson INTERFACE)
  target_link_libraries(iotstream_simdjson INTERFACE simdjson::simdjson)
  # For all of the house: those who share a precompiled header must agree on what it was read with.
  get_target_property(definitions simdjson::simdjson INTERFACE_COMPILE_DEFINITIONS)
  if(definitions)
    add_compile_definitions(${definitions})
  endif()
endif()

find_path(SQLITE3_INCLUDE sqlite3.h REQUIRED)
find_library(SQLITE3_STATIC NAMES libsqlite3.a sqlite3 REQUIRED)
add_library(iotstream_sqlite3 INTERFACE)
target_include_directories(iotstream_sqlite3 SYSTEM INTERFACE "${SQLITE3_INCLUDE}")
target_link_libraries(iotstream_sqlite3 INTERFACE "${SQLITE3_STATIC}" Threads::Threads ${CMAKE_DL_LIBS} m)

find_path(CONCURRENTQUEUE_INCLUDE concurrentqueue/concurrentqueue.h REQUIRED)
add_library(iotstream_concurrentqueue INTERFACE)
target_include_directories(iotstream_concurrentqueue SYSTEM INTERFACE "${CONCURRENTQUEUE_INCLUDE}")

find_library(PUGIXML_STATIC NAMES libpugixml.a pugixml REQUIRED)
add_library(iotstream_pugixml INTERFACE)
target_link_libraries(iotstream_pugixml INTERFACE "${PUGIXML_STATIC}")

find_library(ZLIB_STATIC NAMES libz.a z REQUIRED)
add_library(iotstream_zlib INTERFACE)
target_link_libraries(iotstream_zlib INTERFACE "${ZLIB_STATIC}")

find_path(ZSTD_INCLUDE zstd.h REQUIRED)
find_library(ZSTD_STATIC NAMES libzstd.a zstd REQUIRED)
add_library(iotstream_zstd INTERFACE)
target_include_directories(iotstream_zstd SYSTEM INTERFACE "${ZSTD_INCLUDE}")
target_link_libraries(iotstream_zstd INTERFACE "${ZSTD_STATIC}" Threads::Threads)

set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3.0 REQUIRED)
