declare module 'systemd-socket' {
  /** The descriptor of the socket with this index, or null where `LISTEN_FDS` is not set. */
  export default function systemdSocket(index?: number): { readonly fd: number } | null;
}
