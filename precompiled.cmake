# The standard headers, which nearly every source includes, compiled once for all targets: a third of the time that a source takes.
if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)  # in them GCC 12 warns of std::string what it does not warn of in system headers
  target_compile_options(crossover_flags INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds$<SEMICOLON>-Wno-restrict$<SEMICOLON>-Wno-stringop-overflow$<SEMICOLON>-Wno-stringop-overread>)
endif()
target_precompile_headers(crossover_system PRIVATE
  <algorithm> <array> <atomic> <chrono> <concepts> <condition_variable> <coroutine> <cstdint> <deque> <exception> <functional> <map>
  <memory> <mutex> <optional> <span> <stdexcept> <string> <string_view> <thread> <utility> <vector>)

function(use_precompiled_headers folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(own ${target} PRECOMPILE_HEADERS)
    get_target_property(shared ${target} PRECOMPILE_HEADERS_REUSE_FROM)
    if(type MATCHES "STATIC|OBJECT|EXECUTABLE" AND NOT own AND NOT shared)
      target_precompile_headers(${target} REUSE_FROM crossover_system)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(each IN LISTS folders)
    use_precompiled_headers(${each})
  endforeach()
endfunction()
foreach(folder runtimes workloads bench tests)  # the fuzzers have options of their own
  use_precompiled_headers(${PROJECT_SOURCE_DIR}/${folder})
endforeach()
