export const dynamic = 'force-dynamic';
export default () => <p>hello</p>;
