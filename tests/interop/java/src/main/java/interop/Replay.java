package interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.cometd.bayeux.Channel;
import org.cometd.bayeux.Promise;
import org.cometd.bayeux.server.BayeuxServer;
import org.cometd.bayeux.server.ServerMessage;
import org.cometd.bayeux.server.ServerSession;
import org.cometd.server.BayeuxServerImpl;

/**
 * Salesforce's replay of events, as an extension of the CometD server: a log in memory for each channel.
 *
 * A subscribe says where it goes on, ext: {replay: {channel: -1 | -2 | id}}. What was raised behind that is delivered
 * to its session with the reply. Events that are raised while the subscription is being made wait for that reply as
 * well: sent at once, they would come ahead of the older ones, and again with those.
 */
final class Replay implements BayeuxServer.Extension {
    private final BayeuxServerImpl bayeux;
    private final Map<String, List<Map<String, Object>>> logs = new ConcurrentHashMap<>();
    private long ids;

    Replay(BayeuxServerImpl bayeux) {
        this.bayeux = bayeux;
    }

    /** Keep an event and send it to all subscribers; gives its replay id. Ids have gaps, as Salesforce's. */
    synchronized long raise(String channel, Object payload) {
        ids += 7;
        Map<String, Object> data = new HashMap<>();
        data.put("schema", "schema");
        data.put("payload", payload);
        data.put("event", Map.of("replayId", ids));
        log(channel).add(data);
        bayeux.createChannelIfAbsent(channel).getReference().publish(null, data, Promise.noop());
        return ids;
    }

    /** The oldest events have become too old. */
    synchronized void drop(String channel, int count) {
        log(channel).subList(0, count).clear();
    }

    @Override
    public synchronized boolean rcvMeta(ServerSession session, ServerMessage.Mutable message) {
        if (!Channel.META_SUBSCRIBE.equals(message.getChannel())) {
            return true;
        }
        String channel = (String) message.get(org.cometd.bayeux.Message.SUBSCRIPTION_FIELD);
        Object from = from(message, channel);
        if (from == null) {
            return true;
        }
        Long after = after(channel, ((Number) from).longValue());
        if (after == null) {
            return false;
        }
        Subscribing subscribing = new Subscribing(channel, after);
        session.setAttribute(Subscribing.class.getName() + channel, subscribing);
        session.addListener(subscribing);
        return true;
    }

    @Override
    public synchronized boolean sendMeta(ServerSession session, ServerMessage.Mutable reply) {
        if (Channel.META_HANDSHAKE.equals(reply.getChannel()) && reply.isSuccessful()) {
            reply.getExt(true).put("replay", true);
        }
        if (Channel.META_SUBSCRIBE.equals(reply.getChannel())) {
            ServerMessage message = reply.getAssociated();
            String channel = (String) message.get(org.cometd.bayeux.Message.SUBSCRIPTION_FIELD);
            Object from = from(message, channel);
            if (from != null) {
                answer(session, reply, channel, ((Number) from).longValue());
            }
        }
        return true;
    }

    private void answer(ServerSession session, ServerMessage.Mutable reply, String channel, long from) {
        Subscribing subscribing = (Subscribing) session.removeAttribute(Subscribing.class.getName() + channel);
        if (subscribing == null) {
            // In place of the words that the server has for a message which an extension let go no further.
            reply.put("subscription", channel);
            reply.put(
                    "error",
                    "400::The replayId {" + from + "} you provided was invalid.  Please provide a valid ID, -2 to"
                            + " replay all events, or -1 to replay only new events.");
            return;
        }
        session.removeListener(subscribing);
        if (reply.isSuccessful()) {
            for (Map<String, Object> data : log(channel)) {
                if (id(data) > subscribing.after) {
                    session.deliver(session, channel, data, Promise.noop());
                }
            }
        }
    }

    private List<Map<String, Object>> log(String channel) {
        return logs.computeIfAbsent(channel, name -> new ArrayList<>());
    }

    @SuppressWarnings("unchecked")
    private static Object from(ServerMessage message, String channel) {
        Map<String, Object> ext = message.getExt();
        Object map = ext == null ? null : ext.get("replay");
        return map instanceof Map ? ((Map<String, Object>) map).get(channel) : null;
    }

    /** The id behind which a subscription begins, as ids grow; null where nobody knows the one that it names. */
    private Long after(String channel, long from) {
        if (from == -2) {
            return 0L;
        }
        if (from == -1) {
            return ids;
        }
        return log(channel).stream().anyMatch(data -> id(data) == from) ? Long.valueOf(from) : null;
    }

    @SuppressWarnings("unchecked")
    private static long id(Map<String, Object> data) {
        return (Long) ((Map<String, Object>) data.get("event")).get("replayId");
    }

    /** From the request to its reply: lets no event of the channel pass, as the reply brings all behind `after`. */
    private record Subscribing(String channel, long after) implements ServerSession.MessageListener {
        @Override
        public boolean onMessage(ServerSession session, ServerSession sender, ServerMessage message) {
            return !channel.equals(message.getChannel());
        }
    }
}
