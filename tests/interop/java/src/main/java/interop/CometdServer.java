package interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.cometd.bayeux.Promise;
import org.cometd.bayeux.server.BayeuxServer;
import org.cometd.bayeux.server.ServerChannel;
import org.cometd.bayeux.server.ServerMessage;
import org.cometd.bayeux.server.ServerSession;
import org.cometd.server.BayeuxServerImpl;
import org.cometd.server.DefaultSecurityPolicy;
import org.cometd.server.ServerSessionImpl;
import org.cometd.server.ext.AcknowledgedMessagesExtension;
import org.cometd.server.http.jakarta.CometDServlet;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * The CometD project's server for Java in an embedded Jetty: the reference implementation.
 *
 * Options: port, timeout, interval and maxInterval and sweepPeriod in ms, ack (true or false), replay (true or
 * false: with the extension of Salesforce that keeps events, see Replay), path.
 */
public final class CometdServer {
    private final Map<String, ServerSession> sessions = new ConcurrentHashMap<>();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();

    public static void main(String[] arguments) throws Exception {
        new CometdServer().run(Lines.options(arguments));
    }

    private void run(Map<String, Object> options) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort((int) Lines.number(options, "port", 0));
        server.addConnector(connector);
        String path = (String) options.getOrDefault("path", "/cometd");
        ServletContextHandler context = new ServletContextHandler("/");
        CometDServlet servlet = new CometDServlet();
        ServletHolder holder = new ServletHolder(servlet);
        holder.setAsyncSupported(true);
        holder.setInitOrder(1);
        for (String name : List.of("timeout", "interval", "maxInterval", "sweepPeriod")) {
            if (options.get(name) instanceof Number number) {
                holder.setInitParameter(name, Long.toString(number.longValue()));
            }
        }
        context.addServlet(holder, path + "/*");
        context.addServlet(new ServletHolder(new Login()), "/services/oauth2/token");
        Wire wire = new Wire(path, context);
        server.setHandler(wire);
        server.start();
        BayeuxServerImpl bayeux = (BayeuxServerImpl) servlet.getBayeuxServer();
        if (Boolean.TRUE.equals(options.get("ack"))) {
            bayeux.addExtension(new AcknowledgedMessagesExtension());
        }
        Replay replay = new Replay(bayeux);
        if (Boolean.TRUE.equals(options.get("replay"))) {
            bayeux.addExtension(replay);
        }
        watch(bayeux);
        Lines.say(
                "listening",
                "url", "http://127.0.0.1:" + connector.getLocalPort() + path,
                "port", connector.getLocalPort());
        Lines.obey(commands(bayeux, wire, replay));
    }

    private void watch(BayeuxServerImpl bayeux) {
        bayeux.addListener(new BayeuxServer.SessionListener() {
            @Override
            public void sessionAdded(ServerSession session, ServerMessage message) {
                sessions.put(session.getId(), session);
                Lines.say("opened", "session", session.getId());
            }

            @Override
            public void sessionRemoved(ServerSession session, ServerMessage message, boolean expired) {
                sessions.remove(session.getId());
                Lines.say("closed", "session", session.getId(), "expired", expired);
            }
        });
        bayeux.setSecurityPolicy(new DefaultSecurityPolicy() {
            @Override
            public boolean canSubscribe(
                    BayeuxServer server, ServerSession session, ServerChannel channel, ServerMessage message) {
                return super.canSubscribe(server, session, channel, message) && !refused.contains(channel.getId());
            }

            @Override
            public boolean canPublish(
                    BayeuxServer server, ServerSession session, ServerChannel channel, ServerMessage message) {
                return super.canPublish(server, session, channel, message) && !refused.contains(channel.getId());
            }
        });
    }

    private Map<String, Lines.Command> commands(BayeuxServerImpl bayeux, Wire wire, Replay replay) {
        Map<String, Lines.Command> commands = new HashMap<>();
        commands.put("publish", fields -> {
            publish(bayeux, (String) fields.get("channel"), fields.get("data"));
            return null;
        });
        commands.put("flood", fields -> {
            for (long n = 0; n < ((Number) fields.get("count")).longValue(); ++n) {
                publish(bayeux, (String) fields.get("channel"), Map.of("n", n));
            }
            return null;
        });
        commands.put("lose", fields -> {
            wire.losing.set(true);
            return null;
        });
        commands.put("sessions", fields -> new ArrayList<>(sessions.keySet()));
        commands.put("subscriptions", fields -> {
            List<String> found = new ArrayList<>();
            for (ServerSession session : sessions.values()) {
                session.getSubscriptions().forEach(channel -> found.add(channel.getId()));
            }
            return found;
        });
        commands.put("refuse", fields -> refused.add((String) fields.get("channel")));
        commands.put("allow", fields -> refused.remove((String) fields.get("channel")));
        // What the server's own sweep does when a session expires: while a connect is held none does.
        commands.put("forget", fields -> {
            for (ServerSession session : new ArrayList<>(sessions.values())) {
                // Without the scheduler its held connect would be answered at the end of its time.
                ((ServerSessionImpl) session).destroyScheduler();
                bayeux.removeServerSession(session, true);
            }
            return null;
        });
        commands.put("disconnect", fields -> {
            new ArrayList<>(sessions.values()).forEach(ServerSession::disconnect);
            return null;
        });
        commands.put("raise", fields -> replay.raise((String) fields.get("channel"), fields.get("payload")));
        // Once, between the making of the next subscription and its reply.
        commands.put("raise during subscription", fields -> {
            String channel = (String) fields.get("channel");
            bayeux.addListener(new BayeuxServer.SubscriptionListener() {
                @Override
                public void subscribed(ServerSession session, ServerChannel made, ServerMessage message) {
                    if (made.getId().equals(channel)) {
                        bayeux.removeListener(this);
                        replay.raise(channel, fields.get("payload"));
                    }
                }
            });
            return null;
        });
        commands.put("drop", fields -> {
            replay.drop((String) fields.get("channel"), ((Number) fields.get("count")).intValue());
            return null;
        });
        return commands;
    }

    private static void publish(BayeuxServerImpl bayeux, String channel, Object data) {
        bayeux.createChannelIfAbsent(channel).getReference().publish(null, data, Promise.noop());
    }
}
