// endpoint: what is written is read back; what is not an address is refused with a remedy in one line.
#include "runtimes/system/endpoint.hpp"

#include <gtest/gtest.h>

#include <string>

namespace crossover {
namespace {

std::string error_of(std::string_view url) {
    try {
        parse_endpoint(url);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "";
}

TEST(endpoint, reads_address_and_port) {
    EXPECT_EQ(parse_endpoint("http://127.0.0.1:8080/"), (endpoint{loopback_address, 8080}));
    EXPECT_EQ(parse_endpoint("http://127.0.0.1:8080"), (endpoint{loopback_address, 8080}));
    EXPECT_EQ(parse_endpoint("http://10.20.30.255"), (endpoint{0x0a141eff, 80}));
}

TEST(endpoint, reads_what_it_writes) {
    const endpoint e{0xc0a80001, 65535};
    EXPECT_EQ(to_string(e), "192.168.0.1:65535");
    EXPECT_EQ(parse_endpoint(to_url(e)), e);
}

TEST(endpoint, refuses_everything_else_and_names_the_remedy) {
    for (const char* url :
         {"", "127.0.0.1:80", "https://127.0.0.1/", "http://", "http://localhost:80/", "http://127.0.0/",
          "http://127.0.0.256/", "http://127.0.0.1.1/", "http://127.0.0.1:0/", "http://127.0.0.1:/",
          "http://127.0.0.1:65536/", "http://127.0.0.1:80/page", "http://127.0.0.1:80 ", "http://127..0.1/",
          "http://-1.0.0.1/"}) {
        const std::string error = error_of(url);
        EXPECT_NE(error.find("http://127.0.0.1:8080/"), std::string::npos) << "'" << url << "': " << error;
        EXPECT_EQ(error.find('\n'), std::string::npos);
    }
}

}  // namespace
}  // namespace crossover
