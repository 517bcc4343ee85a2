# How every folder of the house is built: x.c into the module's library, x_test.c into a cmocka
# program of its own, x_fuzz.c into a libFuzzer program of its own.

include(CheckCCompilerFlag)

add_library(muster_flags INTERFACE)
target_include_directories(muster_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(muster_flags INTERFACE _GNU_SOURCE MUSTER_VERSION="${PROJECT_VERSION}")
target_compile_options(muster_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
  -Wformat=2 -Wno-format-nonliteral -Werror=format-security -Wimplicit-fallthrough
  -fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks
  -fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
  target_compile_options(muster_flags INTERFACE -fcf-protection=full)
endif()

# clang 14 wants a second, temporary flag for this one; gcc, which builds releases, has it.
check_c_compiler_flag(-ftrivial-auto-var-init=zero MUSTER_HAS_AUTO_VAR_INIT)
if(MUSTER_HAS_AUTO_VAR_INIT)
  target_compile_options(muster_flags INTERFACE -ftrivial-auto-var-init=zero)
endif()

if(MUSTER_SANITIZE)
  target_compile_options(muster_flags INTERFACE -fsanitize=${MUSTER_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(muster_flags INTERFACE -fsanitize=${MUSTER_SANITIZE})
  if(MUSTER_SANITIZE MATCHES "undefined")
    # A finding ends the program: otherwise it would be a line in a log that nobody reads.
    target_compile_options(muster_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
else()
  target_compile_options(muster_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_link_options(muster_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)

# Every fuzz target: `ninja fuzzers`.
add_custom_target(fuzzers)

# cmocka writes one file per group of tests (%g); the conformance table is made from them.
function(muster_unit_test folder name source)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(${name}_${stem} ${source})
  target_link_libraries(${name}_${stem} PRIVATE muster_${name} PkgConfig::CMOCKA PkgConfig::JANSSON)
  set_target_properties(${name}_${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unit)
  string(REPLACE "/" "." label ${folder})
  add_test(NAME unit.${label}.${stem} COMMAND ${name}_${stem})
  set_tests_properties(unit.${label}.${stem} PROPERTIES TIMEOUT 120 ENVIRONMENT
    "CMOCKA_MESSAGE_OUTPUT=xml;CMOCKA_XML_FILE=${PROJECT_BINARY_DIR}/results/unit.${name}.${stem}.%g.xml")
endfunction()

function(muster_fuzz_target name source)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(fuzz_${stem} ${source})
  target_link_libraries(fuzz_${stem} PRIVATE muster_${name})
  target_link_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers fuzz_${stem})
endfunction()

# muster_module(FOLDER DEPENDS ...): the library muster_FOLDER, of the folder and its wings, its tests
# and its fuzz targets.
function(muster_module folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.c)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.c$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.c$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.c$")

  if(sources)
    add_library(muster_${name} STATIC ${sources})
    target_link_libraries(muster_${name} PUBLIC muster_flags ${ARG_DEPENDS})
  else()
    add_library(muster_${name} INTERFACE)
    target_link_libraries(muster_${name} INTERFACE muster_flags ${ARG_DEPENDS})
  endif()

  foreach(test ${tests})
    muster_unit_test(${folder} ${name} ${test})
  endforeach()
  if(MUSTER_FUZZ)
    foreach(fuzzer ${fuzzers})
      muster_fuzz_target(${name} ${fuzzer})
    endforeach()
  endif()
endfunction()

# muster_program(NAME FOLDER): FOLDER's main.c on top of FOLDER's library.
function(muster_program program folder)
  add_executable(${program} ${PROJECT_SOURCE_DIR}/src/${folder}/main.c)
  target_link_libraries(${program} PRIVATE muster_${folder})
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR} ENABLE_EXPORTS OFF)
  target_link_options(${program} PRIVATE -pie)
endfunction()
