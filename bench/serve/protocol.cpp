// Writes and reads the protocol's lines with nlohmann's JSON.
#include "bench/serve/protocol.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "bench/serve/build.hpp"

namespace crossover::bench {

namespace {

using json = nlohmann::ordered_json;  // in the order of the documentation

// Text from outside (a reason out of the system, a path) may not be UTF-8: it is mended, not thrown.
std::string line_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string hexadecimal(std::uint64_t number) {
    std::string text(16, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4)
        *digit = "0123456789abcdef"[number & 15];
    return text;
}

json resources_of(const model& m) {
    const resource_use& held = m.facts().resources;
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    return {{"threads", held.threads},
            {"processes", held.processes},
            {"stack_bytes", held.stack_bytes},
            {"executor_threads", held.executor_threads},
            {"descriptors", descriptors.rlim_cur}};
}

json params_of(const cell_facts& f) {
    json params = json::object();
    for (const auto& [name, value] : f.params) params[name] = value;
    return params;
}

json lists_of(lists in) {
    switch (in) {
        case quick:
            return {"quick", "full"};
        case full:
            return {"full"};
        case exhaustive:
            break;
    }
    return json::array();
}

json cell_row(const cell_facts& f) {
    json row{{"workload", f.workload}, {"class", name_of(f.kind)}, {"question", f.question},
             {"params", params_of(f)}, {"sizes", lists_of(f.in)},  {"metric", name_of(f.decides)},
             {"unit", f.unit},         {"units", f.units},         {"scheduled", f.scheduled},
             {"bound", f.bound}};
    if (f.bound_ns > 0) row["bound_ns"] = f.bound_ns;
    if (f.least_ns > f.bound_ns) row["least_ns"] = f.least_ns;
    if (f.in_flight != unlimited) row["in_flight"] = f.in_flight;
    if (f.fresh_process) row["fresh_process"] = true;
    if (!f.paced_by.empty()) row["paced_by"] = f.paced_by;
    row["status"] = f.unsupported.empty() ? "ok" : "unsupported";
    row["reason"] = f.unsupported;
    return row;
}

// Throws bad_params.
named_params params_in(const json& given) {
    named_params all;
    for (const auto& [name, value] : given.items()) {
        if (!value.is_number_unsigned())
            throw bad_params(name + " is " + line_of(value).substr(0, 40) + ", no whole number from 0");
        all.emplace_back(name, value.get<std::uint64_t>());
    }
    return all;
}

bool same(const named_params& all, const named_params& named) {
    return all.size() == named.size() && std::ranges::all_of(all, [&](const auto& p) {
               return std::ranges::find(named, p) != named.end();
           });
}

cell* found(std::string_view workload, const named_params& params, const model& m) {
    for (const auto& c : m.cells())
        if (c->facts().workload == workload && same(c->facts().params, params)) return c.get();
    return nullptr;
}

// Throws bad_params.
cell& cell_at(const std::string& workload, const named_params& named, model& m) {
    if (cell* listed = found(workload, named, m)) return *listed;
    const auto any =
        std::ranges::find(m.cells(), workload, [](const auto& c) { return c->facts().workload; });
    if (any == m.cells().end()) throw bad_params("this model has no workload " + workload);
    std::unique_ptr<cell> made = (*any)->at(named);
    if (cell* listed = found(workload, made->facts().params, m)) return *listed;
    return m.keep(std::move(made));
}

request unclear(std::string fault) { return {request::kind::unclear, nullptr, 0, 0, std::move(fault)}; }

}  // namespace

std::string hello_line(const model& m) {
    const model_facts& f = m.facts();
    json verbs = json::object(), versions = json::object(), cells = json::array();
    for (const auto& [verb, reason] : f.verbs) verbs[std::string(verb)] = reason;
    for (const auto& [name, value] : build_facts()) versions[name] = value;
    for (const auto& c : m.cells()) cells.push_back(cell_row(c->facts()));
    json hello{{"protocol", 1},
               {"model", f.name},
               {"family", f.family},
               {"variant_of", f.variant_of},
               {"engineering", name_of(f.engineered)},
               {"cores", f.cores},
               {"at_once", f.guaranteed_concurrency},
               {"back_end", f.back_end}};
    if (!f.native_of.empty()) hello["native_of"] = f.native_of;
    if (f.guaranteed_concurrency == unlimited) hello.erase("at_once");
    if (!f.semaphore_order.empty()) hello["semaphore_order"] = f.semaphore_order;
    if (!f.channel_order.empty()) hello["channel_order"] = f.channel_order;
    hello["resources"] = resources_of(m);
    hello["versions"] = versions;
    hello["start_up_ns"] = f.start_up_ns;
    hello["pid"] = ::getpid();
    hello["worker_pids"] = m.worker_ids();
    hello["verbs"] = verbs;
    hello["cells"] = cells;
    return line_of(hello);
}

std::string description_line(const cell_facts& f) {
    return line_of({{"outcome", "ok"}, {"cell", cell_row(f)}});
}

std::string check_pass_line(const account& a, std::uint64_t bare_ns) {
    json of{{"executions", a.executions}};
    if (a.peak_alive > 0) of["peak_alive"] = a.peak_alive;
    of["threads"] = a.threads;
    of["processes"] = a.processes;
    of["kernel_objects"] = a.kernel_objects;
    json line{{"outcome", "ok"}, {"account", of}};
    if (bare_ns > 0) line["bare_ns"] = bare_ns;
    return line_of(line);
}

std::string sample_line(const cell_facts& of, const sample& s) {
    json line{{"outcome", "ok"},
              {"iterations", s.iterations},
              {"units", of.units * s.iterations},
              {"scheduled", of.scheduled * s.iterations},
              {"checksum", hexadecimal(s.checksum)},
              {"start_ns", s.start_ns},
              {"wall_ns", s.wall_ns},
              {"cpu_user_ns", s.used.user_ns},
              {"cpu_sys_ns", s.used.system_ns},
              {"voluntary_switches", s.used.voluntary_switches},
              {"involuntary_switches", s.used.involuntary_switches},
              {"minor_faults", s.used.minor_faults},
              {"major_faults", s.used.major_faults},
              {"peak_rss_bytes", s.peak_rss_bytes},
              {"pss_bytes", s.pss_bytes}};
    if (s.origin_cpu_ns) line["origin_cpu_ns"] = *s.origin_cpu_ns;
    if (s.load_cpu_ns) line["load_cpu_ns"] = *s.load_cpu_ns;
    if (s.latency)
        line["latency"] = {{"intended", s.latency->intended.filled()},
                           {"service", s.latency->service.filled()}};
    for (const note& n : s.notes) line["notes"][std::string(n.name)] = n.value;
    return line_of(line);
}

std::string failure_line(const failure& f) {
    return line_of({{"outcome", name_of(f.what)}, {"reason", f.reason}});
}

std::string usage_line(std::string_view reason) {
    return line_of({{"outcome", "usage"}, {"reason", reason}});
}

request read_request(const std::string& line, model& m) {
    json asked = json::parse(line, nullptr, false);
    if (asked.is_discarded()) return unclear("a request is one JSON object per line");
    if (!asked.is_object()) return unclear("a request is a JSON object");
    auto value_of = [&](const char* key) { return asked.contains(key) ? asked[key] : json(); };

    json what = value_of("do");
    if (what == "quit") return {request::kind::quit, nullptr, 0, 0, {}};
    if (what != "describe" && what != "gate" && what != "sample")
        return unclear("'do' is one of describe, gate, sample, quit");
    json workload = value_of("workload"), params = value_of("params");
    if (!workload.is_string() || !params.is_object())
        return unclear("a request names its cell by workload (text) and params (object)");
    cell* of = nullptr;
    try {
        of = &cell_at(workload, params_in(params), m);
    } catch (const bad_params& fault) {
        return unclear(fault.what());
    }
    if (what == "describe") return {request::kind::describe, of, 0, 0, {}};
    if (params.size() != of->facts().params.size())
        return unclear("this request names all params of " + of->facts().workload);
    if (what == "gate") return {request::kind::check_pass, of, 0, 0, {}};
    json iterations = value_of("iterations");
    if (!iterations.is_number_unsigned() || iterations == 0)
        return unclear("a sample needs iterations, a whole number from 1");
    json untimed = asked.value("untimed", json(0U));
    if (!untimed.is_number_unsigned())
        return unclear("the untimed passes of a sample are a whole number from 0");
    return {request::kind::sample, of, iterations.get<std::uint64_t>(), untimed.get<std::uint64_t>(), {}};
}

}  // namespace crossover::bench
