// One folder per size, kept in a map as long as the process lives.
#include "workloads/io/file_set.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include "runtimes/system/errors.hpp"
#include "workloads/contract/workload.hpp"
#include "workloads/servers/origin/item_body.hpp"

namespace crossover {

namespace {

refused cannot_write(const std::string& path) {
    return refused("cannot write " + path + " (" + std::strerror(errno) +
                   "): set TMPDIR to a folder with room");
}

class file_set {
  public:
    file_set(std::uint64_t files, std::uint64_t bytes) {
        const char* const shared = std::getenv("CROSSOVER_FILES");
        if (!shared) {
            write(std::filesystem::temp_directory_path(), files, bytes);
            return;
        }
        const std::string name =
            std::string(shared) + '/' + std::to_string(files) + 'x' + std::to_string(bytes);
        if (!std::filesystem::exists(name)) {
            write(shared, files, bytes);
            std::error_code another_was_first;
            std::filesystem::rename(folder_, name, another_was_first);
            if (another_was_first) remove();
        }
        folder_ = name;
        shared_ = true;
    }
    ~file_set() {
        if (!shared_ && ::getpid() == owner_) remove();
    }
    file_set(const file_set&) = delete;
    file_set& operator=(const file_set&) = delete;

    const std::string& folder() const { return folder_; }

  private:
    void write(const std::filesystem::path& below, std::uint64_t files, std::uint64_t bytes) {
        folder_ = (below / "crossover-files-XXXXXX").string();
        if (!::mkdtemp(folder_.data())) throw cannot_write(folder_);
        std::vector<std::uint64_t> words(bytes / 8 + 1);
        for (std::uint64_t k = 1; k < words.size(); ++k) words[k] = k * body_step;
        for (std::uint64_t n = 0; n < files; ++n) {
            words[0] = first_word(n);
            const std::string path = folder_ + '/' + std::to_string(n);
            std::ofstream file(path, std::ios::binary);
            file.write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(bytes));
            file.close();
            if (!file) {
                refused error = cannot_write(path);
                remove();
                throw error;
            }
        }
    }

    void remove() {
        std::error_code ignored;  // what is left lies in a temporary folder
        std::filesystem::remove_all(folder_, ignored);
    }

    std::string folder_;
    pid_t owner_ = ::getpid();
    bool shared_ = false;
};

class open_file {
  public:
    explicit open_file(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (fd_ < 0) throw refused("cannot open " + path + ": " + std::strerror(errno));
    }
    ~open_file() { ::close(fd_); }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;

    void drop() const {
        ::fdatasync(fd_);  // a page that is not yet written cannot be dropped
        ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
    }

    // Its first page is in memory, or the system does not tell.
    bool cached() const {
        void* const at = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, fd_, 0);
        if (at == MAP_FAILED) return true;
        unsigned char resident = 1;
        const bool told = ::mincore(at, 1, &resident) == 0;
        ::munmap(at, 1);
        return !told || (resident & 1) != 0;
    }

  private:
    int fd_;
};

}  // namespace

const std::string& folder_of_files(std::uint64_t files, std::uint64_t bytes) {
    static std::map<std::pair<std::uint64_t, std::uint64_t>, file_set> made;
    return made.try_emplace({files, bytes}, files, bytes).first->second.folder();
}

void drop_from_page_cache(const std::string& folder, std::uint64_t files) {
    for (std::uint64_t n = 0; n < files; ++n) {
        const open_file file(folder + '/' + std::to_string(n));
        file.drop();
        if (file.cached())
            throw not_supported("files in " + folder +
                                " stay in the page cache: set TMPDIR to a folder on a disk");
    }
}

}  // namespace crossover
