// A thread that begins on another processor than the one that its maker is on. Left to itself, Linux may
// put it on the same one where the others have been asleep for some milliseconds; there it waits until
// the maker, which works on, has used up its time: two milliseconds, as long as many a picture takes.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>

#include <system_error>
#endif

namespace nnr {

#if defined(__linux__)

// Joined at the end, as std::jthread is; what cannot be started is a std::system_error.
class ThreadApart {
public:
    explicit ThreadApart(std::function<void()> work)
        : task_(std::make_unique<Task>()) {
        task_->work = std::move(work);
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        choose_processors(attributes);
        const int error = pthread_create(&thread_, &attributes, run, task_.get());
        pthread_attr_destroy(&attributes);
        if (error != 0) throw std::system_error(error, std::generic_category(), "a thread");
    }
    ThreadApart(ThreadApart&& other) noexcept = default;
    ThreadApart& operator=(ThreadApart&&) = delete;
    ~ThreadApart() {
        if (task_ != nullptr) pthread_join(thread_, nullptr);
    }

private:
    struct Task {
        std::function<void()> work;
        bool confined = false;
        cpu_set_t allowed;  // where it may go once it runs
    };

    void choose_processors(pthread_attr_t& attributes) const {
        if (sched_getaffinity(0, sizeof task_->allowed, &task_->allowed) != 0) return;
        cpu_set_t others = task_->allowed;
        const int here = sched_getcpu();
        if (here < 0 || here >= CPU_SETSIZE) return;
        CPU_CLR(static_cast<std::size_t>(here), &others);
        if (CPU_COUNT(&others) == 0) return;
        task_->confined = pthread_attr_setaffinity_np(&attributes, sizeof others, &others) == 0;
    }

    static void* run(void* given) {
        Task& task = *static_cast<Task*>(given);
        if (task.confined) sched_setaffinity(0, sizeof task.allowed, &task.allowed);
        task.work();
        return nullptr;
    }

    std::unique_ptr<Task> task_;
    pthread_t thread_{};
};

#else

using ThreadApart = std::jthread;

#endif

}  // namespace nnr
