// Beast's request parser reduced to what the origin asks of a request: what is wanted, and how the connection
// goes on.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workloads/servers/origin/item_target.hpp"
#include "workloads/servers/origin/page_graph.hpp"

namespace crossover {

class request_parser final : public boost::beast::http::basic_parser<true> {
    using error_code = boost::beast::error_code;
    using string_view = boost::beast::string_view;
    using verb = boost::beast::http::verb;
    using field = boost::beast::http::field;

  public:
    enum class route { item, page, stats, stats_reset, bad_item, not_found, not_get };

    explicit request_parser(std::uint32_t header_bytes) {
        eager(true);
        header_limit(header_bytes);
    }

    route wanted() const { return wanted_; }
    const item_target& item() const { return item_; }
    const page_target& page() const { return page_; }
    // What is wrong with a bad_item.
    const char* fault() const { return fault_; }
    bool is_http_1_0() const { return version_ == 10; }

  private:
    // The target is read here, because its bytes may be gone when the rest of the header comes.
    void on_request_impl(verb method, string_view, string_view target_text, int version,
                         error_code&) override {
        const std::string_view target(target_text.data(), target_text.size());
        version_ = version;
        if (method != verb::get) {
            wanted_ = route::not_get;
        } else if (target.starts_with("/item/")) {
            fault_ = parse_item_target(target, item_);
            wanted_ = fault_ ? route::bad_item : route::item;
        } else if (target.starts_with("/page/")) {
            const std::optional<page_target> page = parse_page_target(target);
            fault_ = page ? nullptr : "a page is /page/<n>?of=<pages>&delay_us=<us>, with n below pages";
            wanted_ = page ? route::page : route::bad_item;
            page_ = page.value_or(page_target());
        } else if (target == "/stats") {
            wanted_ = route::stats;
        } else if (target == "/stats/reset") {
            wanted_ = route::stats_reset;
        }
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(field, string_view, string_view, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
        return body.size();
    }
    void on_finish_impl(error_code&) override {}

    route wanted_ = route::not_found;
    item_target item_;
    page_target page_;
    const char* fault_ = nullptr;
    int version_ = 11;
};

}  // namespace crossover
