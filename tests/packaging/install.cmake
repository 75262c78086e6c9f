# cmake -D BUILD=dir -D PREFIX=dir -P install.cmake: installs the build into one place and moves the
# tree to PREFIX, so that whatever remembers where it was installed is found out.
set(first ${PREFIX}.first)
file(REMOVE_RECURSE ${first} ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${first}
  COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${first} ${PREFIX})
