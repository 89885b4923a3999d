# The reply reader of the fetch clients, compiled once: Beast takes seconds.
include_guard(GLOBAL)

add_library(crossover_http_reply STATIC ${CMAKE_CURRENT_LIST_DIR}/http_reply.cpp)
target_link_libraries(crossover_http_reply PUBLIC crossover_flags PRIVATE Boost::headers)

add_executable(http_reply_test ${CMAKE_CURRENT_LIST_DIR}/http_reply_test.cpp)
target_link_libraries(http_reply_test PRIVATE crossover_http_reply GTest::gtest_main)
add_test(NAME http_reply COMMAND http_reply_test)
