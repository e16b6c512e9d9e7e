# One helper a kind of target, so that a leaf says only what is its own.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET GLOBAL sqlite3>=3.40)
pkg_check_modules(yaml_cpp REQUIRED IMPORTED_TARGET GLOBAL yaml-cpp>=0.7)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET GLOBAL cpp-httplib>=0.11)
pkg_check_modules(libgit2 REQUIRED IMPORTED_TARGET GLOBAL libgit2>=1.5)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET GLOBAL re2)
find_package(Boost 1.74 REQUIRED)

# The vocabulary every room shares, compiled once.
add_library(mlops_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
target_precompile_headers(mlops_pch PRIVATE <algorithm> <functional> <map> <memory> <optional> <span> <string>
                          <string_view> <vector> <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)
target_link_libraries(mlops_pch PUBLIC fmt::fmt nlohmann_json::nlohmann_json tl::expected Threads::Threads)

# mlops_room(DEPS room… PKGS target…): every .cc of this folder is the static library mlops_<folder path>.
function(mlops_room)
  cmake_parse_arguments(ARG "" "" "DEPS;PKGS" ${ARGN})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(mlops_${name} STATIC ${sources})
  target_precompile_headers(mlops_${name} REUSE_FROM mlops_pch)
  list(TRANSFORM ARG_DEPS PREPEND mlops_)
  target_link_libraries(mlops_${name} PUBLIC ${ARG_DEPS} fmt::fmt nlohmann_json::nlohmann_json tl::expected
                        Threads::Threads PRIVATE ${ARG_PKGS})
endfunction()

# mlops_program(NAME mlopsd DEPS room…): main.cc of this folder becomes build/bin/NAME.
function(mlops_program)
  cmake_parse_arguments(ARG "" "NAME" "DEPS" ${ARGN})
  add_executable(${ARG_NAME} main.cc)
  list(TRANSFORM ARG_DEPS PREPEND mlops_)
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS})
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# mlops_embed(ROOM SYMBOL file…): the files become part of the room as `const std::vector<mlops::EmbeddedFile>& SYMBOL()`.
function(mlops_embed room symbol)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded.cc)
  add_custom_command(OUTPUT ${out} DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} "-DFILES=${ARGN}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  target_sources(mlops_${room} PRIVATE ${out})
endfunction()
