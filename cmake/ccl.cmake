# One interface target carries the warnings and sanitizers of every room.
add_library(ccl_flags INTERFACE)
target_compile_options(ccl_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers)
if(CCL_WERROR)
  target_compile_options(ccl_flags INTERFACE -Werror)
endif()
if(CCL_FUZZ)
  target_compile_options(ccl_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CCL_SANITIZE)
  target_compile_options(ccl_flags INTERFACE
    -fsanitize=${CCL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(ccl_flags INTERFACE -fsanitize=${CCL_SANITIZE})
endif()

# ccl_room(NAME DEPS targets... SRCS files...): a static, position-independent folder library.
# A room without sources is an interface target. Includes are always relative to the project root.
function(ccl_room name)
  cmake_parse_arguments(R "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(R_SRCS)
    add_library(${name} STATIC ${R_SRCS})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${R_DEPS} PRIVATE ${R_PRIVATE_DEPS} ccl_flags)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${R_DEPS})
  endif()
endfunction()
