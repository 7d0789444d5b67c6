# Read by CMake after each `project()` while llama-cpp-python is built (CMAKE_PROJECT_INCLUDE).

# llama-cpp-python switches this library on for every build. It holds the chat formats, downloads and command lines of
# llama.cpp's own programs, 53 of the 127 files; nothing here uses it.
set(LLAMA_BUILD_COMMON OFF)

# A model's time goes into ggml, which stays at -O3. libllama reads files and builds graphs: at -O1 it is as fast, and the
# whole is built in three quarters of the time.
function(_tacit_compile_faster)
  if(NOT MSVC)
    target_compile_options(llama PRIVATE -O1)
  endif()
endfunction()
if(PROJECT_NAME STREQUAL "llama_cpp")
  cmake_language(DEFER CALL _tacit_compile_faster)
endif()
