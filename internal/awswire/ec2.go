package awswire

import "reflect"

// EncodeEC2 writes v, a pointer to the plan's type, as the XML answer of an ec2Query operation: as awsQuery's, but the answer's members stand beside the
// request id in the root element, and the elements of lists are <item>.
func (p *Plan) EncodeEC2(operation, namespace, requestID string, v any) []byte {
	b := append(make([]byte, 0, 1024), `<?xml version="1.0" encoding="UTF-8"?>`+"\n<"...)
	b = append(append(b, operation...), `Response xmlns="`...)
	b = append(appendXMLText(b, namespace), `">`...)
	b = appendXMLElement(b, "requestId", requestID)
	b = listItems("item").structure(b, p.root, reflect.ValueOf(v).Elem())
	return appendClose(b, operation+"Response")
}

// EC2Error writes EC2's answer to a request that failed.
func EC2Error(requestID, code, message string) []byte {
	b := append(make([]byte, 0, 512), `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Response><Errors><Error>"...)
	b = appendXMLElement(b, "Code", code)
	b = appendXMLElement(b, "Message", message)
	b = append(b, "</Error></Errors>"...)
	b = appendXMLElement(b, "RequestID", requestID)
	return appendClose(b, "Response")
}
