// Batches to the kernel, and what it says of them.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "runtime/netlink/batch.h"

namespace polecat::runtime::netlink {

namespace {

constexpr int kTries = 6;                      ///< of what somebody else was in the way of
constexpr std::size_t kMostRefusals = 3;       ///< that an error names
constexpr int kAnswers = 1 << 20;              ///< bytes of answers that may wait
constexpr std::size_t kBesideMessages = 4'096; ///< what the kernel counts of a socket's buffer

class Socket {
  public:
    Socket() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)) {}
    ~Socket() {
        if (fd_ >= 0)
            close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    bool ready() const { return fd_ >= 0; }
    int number() const { return fd_; }
    void set(int level, int option, int value) const {
        setsockopt(fd_, level, option, &value, sizeof value);
    }
    /// The whole batch is one message to the socket, whatever its usual bounds are.
    void make_room(std::size_t size) const {
        const int wanted = static_cast<int>(size);
        if (setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted) != 0)
            set(SOL_SOCKET, SO_SNDBUF, wanted);
    }

  private:
    int fd_;
};

struct Refusal {
    std::uint32_t message; ///< its sequence number
    int error;
    std::string reason; ///< the kernel's words, where it has any
};

struct Answer {
    bool done = false; ///< the last message was
    bool lost = false; ///< there were more answers than the socket holds
    std::vector<Refusal> refusals;
};

/// What the kernel says beside the number of an error.
std::string words_of(const nlmsghdr& header, const nlmsgerr& error, const std::uint8_t* body) {
    if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0)
        return {};
    // After the error comes the message that it is about, of which only the header when capped.
    std::size_t at = sizeof(nlmsgerr);
    if ((header.nlmsg_flags & NLM_F_CAPPED) == 0)
        at += error.msg.nlmsg_len - NLMSG_HDRLEN;
    const std::size_t size = header.nlmsg_len - NLMSG_HDRLEN;
    while (at + NLA_HDRLEN <= size) {
        nlattr attribute{};
        std::memcpy(&attribute, body + at, sizeof attribute);
        if (attribute.nla_len < NLA_HDRLEN || at + attribute.nla_len > size)
            break;
        if (attribute.nla_type == NLMSGERR_ATTR_MSG)
            return std::string(reinterpret_cast<const char*>(body + at + NLA_HDRLEN),
                               strnlen(reinterpret_cast<const char*>(body + at + NLA_HDRLEN),
                                       attribute.nla_len - NLA_HDRLEN));
        at += NLA_ALIGN(attribute.nla_len);
    }
    return {};
}

void take(Answer& answer, const std::uint8_t* bytes, std::size_t size, std::uint32_t last) {
    while (size >= NLMSG_HDRLEN) {
        nlmsghdr header{};
        std::memcpy(&header, bytes, sizeof header);
        if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > size)
            return;
        if (header.nlmsg_type == NLMSG_ERROR &&
            header.nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr))) {
            nlmsgerr error{};
            std::memcpy(&error, bytes + NLMSG_HDRLEN, sizeof error);
            if (error.error != 0)
                answer.refusals.push_back({header.nlmsg_seq, -error.error,
                                           words_of(header, error, bytes + NLMSG_HDRLEN)});
            else if (header.nlmsg_seq == last)
                answer.done = true;
        }
        const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), size);
        bytes += step;
        size -= step;
    }
}

/// The kernel has done its work, and its answers wait, when sending returns.
Answer read_answers(const Socket& socket, std::uint32_t last) {
    Answer answer;
    alignas(nlmsghdr) std::array<std::uint8_t, 32'768> bytes;
    for (;;) {
        const ssize_t got = recv(socket.number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got > 0) {
            take(answer, bytes.data(), static_cast<std::size_t>(got), last);
        } else if (got < 0 && errno == ENOBUFS) {
            answer.lost = true;
        } else if (got == 0 || errno != EINTR) {
            return answer;
        }
    }
}

/// Nothing was done, and it may be done when others are through.
bool may_try_again(const Answer& answer) {
    if (answer.refusals.empty() || answer.lost)
        return false;
    for (const Refusal& each : answer.refusals)
        if (each.error != EBUSY && each.error != EINTR && each.error != EAGAIN &&
            each.error != ERESTART)
            return false;
    return true;
}

Error refused(const Messages& messages, const Answer& answer) {
    if (answer.refusals.empty())
        return Error{answer.lost ? "netlink: the kernel's answers were lost"
                                 : "netlink: the kernel did not answer"};
    std::string out = "the kernel refused: ";
    for (std::size_t i = 0; i < answer.refusals.size() && i < kMostRefusals; ++i) {
        const Refusal& each = answer.refusals[i];
        const auto& labels = messages.labels();
        const Messages::Label label = labels[each.message < labels.size() ? each.message : 0];
        out += fmt::format("{}{}{}{}: {}", i == 0 ? "" : "; ", label.kind,
                           label.name.empty() ? "" : " ", label.name, std::strerror(each.error));
        if (!each.reason.empty())
            out += " (" + each.reason + ")";
    }
    if (answer.refusals.size() > kMostRefusals)
        out += fmt::format("; and {} more", answer.refusals.size() - kMostRefusals);
    return Error{out};
}

Result<Answer> send_once(const Messages& messages) {
    const Socket socket;
    if (!socket.ready())
        return Error{std::string("netlink: ") + std::strerror(errno)};
    socket.set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    socket.set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    socket.set(SOL_SOCKET, SO_RCVBUFFORCE, kAnswers);
    socket.make_room(messages.size() + kBesideMessages);
    const std::vector<std::uint8_t>& bytes = messages.bytes();
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    for (;;) {
        const ssize_t sent = sendto(socket.number(), bytes.data(), bytes.size(), 0,
                                    reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
        if (sent == static_cast<ssize_t>(bytes.size()))
            return read_answers(socket, static_cast<std::uint32_t>(messages.labels().size() - 1));
        if (sent < 0 && errno != EINTR)
            return Error{fmt::format("netlink: a transaction of {} bytes: {}", bytes.size(),
                                     std::strerror(errno))};
        if (sent >= 0)
            return Error{"netlink: a transaction was cut"};
    }
}

} // namespace

Result<bool> send_batch(const Messages& messages) {
    if (messages.labels().size() == 1)
        return true; // nothing to do
    for (int i = 1;; ++i) {
        const auto answer = send_once(messages);
        if (!answer)
            return Error{answer.error()};
        if (answer->done && answer->refusals.empty() && !answer->lost)
            return true;
        if (i == kTries || !may_try_again(*answer))
            return refused(messages, *answer);
        std::this_thread::sleep_for(std::chrono::milliseconds(1 << i));
    }
}

} // namespace polecat::runtime::netlink
