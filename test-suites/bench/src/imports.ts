import '@wrkr/memory';
import 'wrkr';
